// onnx_sniff: what people drop when it is not a model, told by its first bytes.
#include <string.h>

#include "onnx_parts.h"

typedef struct signature {
  size_t offset;
  const char *bytes;
  size_t size;
  const char *what;
} signature;

#define SIGNATURE(offset, bytes, what)                                                                                 \
  { offset, bytes, sizeof(bytes) - 1, what }

static const signature SIGNATURES[] = {
    SIGNATURE(0, "\x89PNG\r\n", "a PNG image"),
    SIGNATURE(0, "\xFF\xD8\xFF", "a JPEG image"),
    SIGNATURE(0, "GIF8", "a GIF image"),
    SIGNATURE(8, "WEBPVP8", "a WebP image"),
    SIGNATURE(0, "\x1F\x8B", "a gzip archive (unpack it first)"),
    SIGNATURE(0, "%PDF-", "a PDF document"),
    SIGNATURE(0, "GGUF", "a GGUF file (llama.cpp; netlump does not read it)"),
    SIGNATURE(4, "TFL3", "a TensorFlow Lite model (convert it with tf2onnx first)"),
    SIGNATURE(4, "ORTM", "a model in ONNX Runtime's own ORT format (use the .onnx it was made from)"),
    SIGNATURE(0, "\x89HDF\r\n", "an HDF5 file, perhaps Keras weights (export the model to ONNX with tf2onnx)"),
    SIGNATURE(0, "\x93NUMPY", "a NumPy array (data rows, which go with a model)"),
    SIGNATURE(0, "BZh", "a bzip2 archive (unpack it first)"),
    SIGNATURE(0,
              "\xFD"
              "7zXZ",
              "an xz archive (unpack it first)"),
    SIGNATURE(0, "7z\xBC\xAF", "a 7-Zip archive (unpack it first)"),
    SIGNATURE(0, "\x80\x02}", "a Python pickle (export the model with torch.onnx.export)"),
    SIGNATURE(0, "\x80\x02\x8A", "a PyTorch checkpoint (export the model with torch.onnx.export)"),
    SIGNATURE(0, "\x80\x03", "a Python pickle (export the model to ONNX from Python)"),
    SIGNATURE(0, "\x80\x04\x95", "a Python pickle (export the model to ONNX from Python)"),
    SIGNATURE(0, "\x80\x05\x95", "a Python pickle (export the model to ONNX from Python)"),
    SIGNATURE(0,
              "\x7F"
              "ELF",
              "a program"),
    SIGNATURE(0, "MZ\x90", "a program"),
};

// Whether `text` occurs in the first bytes.
static bool holds(nl_span bytes, const char *text) {
  const size_t size = strlen(text), limit = bytes.size < 4096 ? bytes.size : 4096;
  for (size_t i = 0; i + size <= limit; i++) {
    if (memcmp(bytes.bytes + i, text, size) == 0) return true;
  }
  return false;
}

static bool starts(nl_span bytes, const char *text) {
  const size_t size = strlen(text);
  return bytes.size >= size && memcmp(bytes.bytes, text, size) == 0;
}

// Whether `bytes` start with `text`, in whatever case (text in lower case).
static bool starts_any_case(nl_span bytes, const char *text) {
  for (size_t i = 0; text[i] != '\0'; i++) {
    if (i >= bytes.size) return false;
    const uint8_t letter = bytes.bytes[i];
    if ((char)(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter) != text[i]) return false;
  }
  return true;
}

static const char *archive(nl_span bytes) {
  if (holds(bytes, "data.pkl") || holds(bytes, "/data/0"))
    return "a PyTorch checkpoint (export the model with torch.onnx.export)";
  if (holds(bytes, "model.weights.h5")) return "a Keras model (export it to ONNX with tf2onnx)";
  if (holds(bytes, ".npy")) return "a NumPy archive (data rows, which go with a model)";
  return "a zip archive (unpack it first)";
}

static bool is_safetensors(nl_span bytes) {
  if (bytes.size < 10 || bytes.bytes[8] != '{') return false;
  uint64_t header = 0;
  for (size_t i = 0; i < 8; i++) header |= (uint64_t)bytes.bytes[i] << (8 * i);
  return header >= 2 && header <= bytes.size - 8;
}

// Printable text throughout the first bytes? A protobuf message never is: ONNX starts with control characters.
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
  if (text.size > 260 || memchr(text.bytes, ' ', text.size) != NULL) return false;
  while (text.size != 0 && (text.bytes[text.size - 1] == '\n' || text.bytes[text.size - 1] == '\r')) text.size--;
  return memchr(text.bytes, '\n', text.size) == NULL &&
         (memchr(text.bytes, '/', text.size) != NULL || memchr(text.bytes, '.', text.size) != NULL);
}

static const char *text_kind(nl_span bytes) {
  const nl_span text = trimmed(bytes);
  if (text.size == 0) return "blank text";
  if (starts_any_case(text, "<!doctype html") || starts_any_case(text, "<html"))
    return "a web page (download the file itself, not its page)";
  if (text.bytes[0] == '<') return "an XML file";
  if (text.bytes[0] == '{' || text.bytes[0] == '[') return "JSON, but of no network netlump knows";
  if (is_link(text)) return "a link to another file (open the file it names)";
  return "plain text";
}

// "size 10244250" in a pointer; 0 when it does not say.
static uint64_t lfs_size(nl_span bytes) {
  static const char key[] = "\nsize ";
  for (size_t i = 0; i + sizeof key - 1 < bytes.size; i++) {
    if (memcmp(bytes.bytes + i, key, sizeof key - 1) != 0) continue;
    uint64_t size = 0;
    for (size_t k = i + sizeof key - 1;
         k < bytes.size && bytes.bytes[k] >= '0' && bytes.bytes[k] <= '9' && size < UINT64_MAX / 10 - 9; k++) {
      size = size * 10 + (uint64_t)(bytes.bytes[k] - '0');
    }
    return size;
  }
  return 0;
}

nl_status nl_onnx_sniff(nl_span bytes, nl_error *error) {
  if (bytes.size == 0) return nl_fail(error, NL_ERROR_EMPTY, NULL, NULL);
  if (starts(bytes, "version https://git-lfs") && bytes.size < 1024)
    return nl_fail_count(error, NL_ERROR_GIT_LFS, NULL, lfs_size(bytes), bytes.size);
  if (starts(bytes, "PK\x03\x04")) return nl_fail(error, NL_ERROR_NOT_A_MODEL, NULL, archive(bytes));
  for (size_t i = 0; i < sizeof SIGNATURES / sizeof SIGNATURES[0]; i++) {
    const signature *s = &SIGNATURES[i];
    if (bytes.size >= s->offset + s->size && memcmp(bytes.bytes + s->offset, s->bytes, s->size) == 0)
      return nl_fail(error, NL_ERROR_NOT_A_MODEL, NULL, s->what);
  }
  if (is_safetensors(bytes))
    return nl_fail(error, NL_ERROR_NOT_A_MODEL, NULL,
                   "a safetensors file: weights without their network (export the model to ONNX)");
  if (is_text(bytes) && holds(bytes, "<PMML"))
    return nl_fail(error, NL_ERROR_UNSUPPORTED, NULL, "it is PMML. Export the network to ONNX where it was made");
  if (is_text(bytes)) return nl_fail(error, NL_ERROR_NOT_A_MODEL, NULL, text_kind(bytes));
  return NL_OK;
}
