// onnx_sniff_text: what a text is that is no network in JSON.
#include <string.h>

#include "onnx_sniff.h"

static bool starts(nl_span text, const char *word) {
  const size_t size = strlen(word);
  return text.size >= size && memcmp(text.bytes, word, size) == 0;
}

// Whether `text` starts with `word`, in whatever case (word in lower case).
static bool starts_any_case(nl_span text, const char *word) {
  for (size_t i = 0; word[i] != '\0'; i++) {
    if (i >= text.size) return false;
    const uint8_t letter = text.bytes[i];
    if ((char)(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter) != word[i]) return false;
  }
  return true;
}

// Printable throughout the first bytes? A protobuf message never is: ONNX starts with control characters.
static bool is_text(nl_span bytes) {
  const size_t limit = bytes.size < 512 ? bytes.size : 512;
  for (size_t i = 0; i < limit; i++) {
    const uint8_t byte = bytes.bytes[i];
    if (byte == 0x7F || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')) return false;
  }
  return true;
}

static nl_span trimmed(nl_span text) {
  if (starts(text, "\xEF\xBB\xBF")) text = (nl_span){text.bytes + 3, text.size - 3};
  while (text.size != 0 && (text.bytes[0] == ' ' || (text.bytes[0] >= '\t' && text.bytes[0] <= '\r')))
    text = (nl_span){text.bytes + 1, text.size - 1};
  return text;
}

static bool is_link(nl_span text) {
  if (text.size > 260 || memchr(text.bytes, ' ', text.size) != NULL || memchr(text.bytes, ',', text.size) != NULL)
    return false;
  while (text.size != 0 && (text.bytes[text.size - 1] == '\n' || text.bytes[text.size - 1] == '\r')) text.size--;
  return memchr(text.bytes, '\n', text.size) == NULL &&
         (memchr(text.bytes, '/', text.size) != NULL || memchr(text.bytes, '.', text.size) != NULL);
}

// Numbers with little between them, a first line of names left out.
static bool is_table(nl_span text) {
  const uint8_t *line = memchr(text.bytes, '\n', text.size);
  if (line == NULL) line = text.bytes;
  const size_t left = text.size - (size_t)(line - text.bytes), limit = left < 2048 ? left : 2048;
  size_t numeric = 0, digits = 0;
  for (size_t i = 0; i < limit; i++) {
    const bool digit = line[i] >= '0' && line[i] <= '9';
    digits += digit;
    numeric += digit || memchr(".,;|+-eE \t\r\n", line[i], 12) != NULL;
  }
  return digits * 4 > limit && numeric * 5 > limit * 3;
}

static const struct {
  const char *start, *held, *what; // start in lower case; held: NULL, or what else the first bytes have
} TEXTS[] = {
    {"<!doctype html", NULL, "a web page. Download the file itself, not the page that shows it"},
    {"<html", NULL, "a web page. Download the file itself, not the page that shows it"},
    {"<", "<net ", "an OpenVINO model (IR). Open the ONNX model it was made from"},
    {"<", "<PMML", "a PMML model. Export the network to ONNX where it was made"},
    {"<", "<svg", "an SVG image, not a model. Choose a .onnx or .json file"},
    {"<", NULL, "an XML file, not a model. Choose a .onnx or .json file"},
    {"{", NULL,
     "JSON, but of no network netlump knows. TensorFlow.js layers models, brain.js and netlump's own are read"},
    {"[net", NULL, "a Darknet network (.cfg). Convert it to ONNX together with its .weights file"},
    {"[", NULL,
     "JSON, but of no network netlump knows. TensorFlow.js layers models, brain.js and netlump's own are read"},
    {"7767517", NULL, "an ncnn network (.param). Open the ONNX model it was made from"},
    {"model_checkpoint_path:", NULL,
     "a note that names a TensorFlow checkpoint. Convert the network to ONNX with tf2onnx"},
    {"ir_version:", NULL, "an ONNX model as text. Save it as a binary file with onnx.save"},
    {"", "bottom:", "a Caffe network (.prototxt). Convert it to ONNX together with its .caffemodel"},
    {"node {", NULL, "a TensorFlow graph as text. Convert the network to ONNX with tf2onnx"},
    {"import ", NULL, "a Python program. Run it, and export its network to ONNX"},
    {"from ", "import ", "a Python program. Run it, and export its network to ONNX"},
    {"#!", NULL, "a program, not a model. Choose a .onnx or .json file"},
};

const char *nl_sniff_text(nl_span head) {
  if (!is_text(head)) return NULL;
  const nl_span text = trimmed(head);
  if (text.size == 0) return "blank text, not a model. Choose a .onnx or .json file";
  for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
    if (starts_any_case(text, TEXTS[i].start) && (TEXTS[i].held == NULL || nl_sniff_holds(text, TEXTS[i].held)))
      return TEXTS[i].what;
  if (is_table(text) && starts(text, "//")) // comments are how NNet files begin
    return "a network in the NNet format. Convert it to ONNX with NNet's own writeONNX";
  if (is_table(text)) return "a table of numbers: rows for a model, not a model. Open it together with its model";
  if (is_link(text)) return "a link to another file. Open the file it names";
  return "plain text, not a model. Choose a .onnx or .json file";
}
