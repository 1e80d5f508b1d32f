// onnx_sniff: what people open when it is not a model, told by its first bytes, and of an archive by the names in it.
#include <string.h>

#include "onnx_parts.h"
#include "onnx_sniff.h"

// ---- first bytes -------------------------------------------------------------------------------------------------------

typedef struct signature {
  size_t offset;
  const char *bytes;
  size_t size;
  const char *what;
} signature;

#define SIGNATURE(offset, bytes, what)                                                                                 \
  { offset, bytes, sizeof(bytes) - 1, what }
#define IMAGE(name) name " image, not a model. Choose a .onnx or .json file"
#define PACKED(name) name " archive. Unpack it and open what is in it"
#define ROWS "rows for a model, not a model. Open it together with its model"
#define PROGRAM "a program, not a model. Choose a .onnx or .json file"
#define TABLE(name) name ", not a model. Save its rows as CSV and open them together with a model"
#define GGML "weights for llama.cpp (GGML). netlump does not read it; open the network as ONNX"
#define TENSORRT "a TensorRT engine, made for one kind of graphics card. Open the ONNX model it was built from"

static const signature SIGNATURES[] = {
    SIGNATURE(0, "\x89PNG\r\n", IMAGE("a PNG")),
    SIGNATURE(0, "\xFF\xD8\xFF", IMAGE("a JPEG")),
    SIGNATURE(0, "GIF8", IMAGE("a GIF")),
    SIGNATURE(8, "WEBPVP8", IMAGE("a WebP")),
    SIGNATURE(0, "II*\0", IMAGE("a TIFF")),
    SIGNATURE(0, "MM\0*", IMAGE("a TIFF")),
    SIGNATURE(6, "\0\0\0\0\x36\0\0\0(\0\0\0", IMAGE("a BMP")),
    SIGNATURE(4, "ftypavif", IMAGE("an AVIF")),
    SIGNATURE(4, "ftyphei", IMAGE("a HEIC")),
    SIGNATURE(0, "\x1F\x8B", PACKED("a gzip")),
    SIGNATURE(0, "BZh", PACKED("a bzip2")),
    SIGNATURE(0, "\xFD\x37zXZ", PACKED("an xz")),
    SIGNATURE(0, "7z\xBC\xAF", PACKED("a 7-Zip")),
    SIGNATURE(0, "\x28\xB5\x2F\xFD", PACKED("a Zstandard")),
    SIGNATURE(0, "Rar!\x1A\x07", PACKED("a RAR")),
    SIGNATURE(257, "ustar", PACKED("a tar")),
    SIGNATURE(0, "%PDF-", "a PDF document, not a model. Choose a .onnx or .json file"),
    SIGNATURE(0, "GGUF", "a GGUF file for llama.cpp. netlump does not read it; open the network as ONNX"),
    SIGNATURE(0, "lmgg", GGML),
    SIGNATURE(0, "fmgg", GGML),
    SIGNATURE(0, "tjgg", GGML),
    SIGNATURE(4, "TFL3", "a TensorFlow Lite model. Convert it with tf2onnx (--tflite), or export the network to ONNX"),
    SIGNATURE(4, "ORTM", "a model in ONNX Runtime's own ORT format. Open the .onnx file it was made from"),
    SIGNATURE(4, "MSL2", "a MindSpore Lite model. Export the network to ONNX from MindSpore"),
    SIGNATURE(0, "RKNN", "a model converted for Rockchip's NPUs (RKNN). Open the ONNX model it was made from"),
    SIGNATURE(0, "ptrt", TENSORRT),
    SIGNATURE(0, "ftrt", TENSORRT),
    SIGNATURE(0, "\0\0\0\0\2\0\0\0\5\0\0\0",
              "weights of a Darknet network. Convert the network to ONNX with its .cfg file"),
    SIGNATURE(0, "\0\0\0\0\2\0\0\0\0\0\0\0",
              "weights of a Darknet network. Convert the network to ONNX with its .cfg file"),
    SIGNATURE(0, "\x93NUMPY", "a NumPy array: " ROWS),
    SIGNATURE(0, "PAR1", TABLE("a Parquet table")),
    SIGNATURE(0, "ARROW1", TABLE("an Arrow table")),
    SIGNATURE(0, "MATLAB 5.0 MAT-file", TABLE("a MATLAB file")),
    SIGNATURE(0, "MATLAB 7.3 MAT-file", TABLE("a MATLAB file")),
    SIGNATURE(0, "SQLite format 3", TABLE("an SQLite database")),
    SIGNATURE(0, "\x7F\x45LF", PROGRAM),
    SIGNATURE(0, "MZ\x90", PROGRAM),
    SIGNATURE(0, "\xCF\xFA\xED\xFE", PROGRAM),
    SIGNATURE(0, "\xCA\xFE\xBA\xBE", PROGRAM),
    SIGNATURE(0, "\0asm", PROGRAM),
};

static bool is_at(nl_span bytes, size_t offset, const char *text, size_t size) {
  return bytes.size >= offset + size && memcmp(bytes.bytes + offset, text, size) == 0;
}

bool nl_sniff_holds(nl_span bytes, const char *text) {
  const size_t size = strlen(text), limit = bytes.size < 4096 ? bytes.size : 4096;
  for (size_t i = 0; i + size <= limit; i++) {
    if (memcmp(bytes.bytes + i, text, size) == 0) return true;
  }
  return false;
}

// With its IR version, mostly. What lies further in is names and weights then, whatever it looks like.
static bool begins_as_model(nl_span head) {
  return head.size > 1 && head.bytes[0] == 0x08 && head.bytes[1] > 0 && head.bytes[1] < 64;
}

static const char *signed_kind(nl_span head) {
  for (size_t i = 0; i < sizeof SIGNATURES / sizeof SIGNATURES[0]; i++) {
    const signature *s = &SIGNATURES[i];
    if (s->offset > 0 && begins_as_model(head)) continue;
    if (is_at(head, s->offset, s->bytes, s->size)) return s->what;
  }
  return NULL;
}

// ---- Python ------------------------------------------------------------------------------------------------------------

#define TORCH "Export the network with torch.onnx.export"

// Pickle's protocols 2 to 5 begin with their number.
static const char *pickle_kind(nl_span head) {
  if (head.size < 3 || head.bytes[0] != 0x80 || head.bytes[1] < 2 || head.bytes[1] > 5) return NULL;
  if (is_at(head, 2, "\x8A\x0Al\xFC\x9C", 5) || nl_sniff_holds(head, "torch"))
    return "a PyTorch checkpoint: Python objects. " TORCH;
  if (nl_sniff_holds(head, "sklearn")) return "a scikit-learn model as a Python pickle. Export it with skl2onnx";
  return "a Python pickle (pickle, joblib). Export the network to ONNX from Python";
}

static const char *hdf5_kind(nl_span head) {
  if (!is_at(head, 0, "\x89HDF\r\n", 6)) return NULL;
  return nl_sniff_holds(head, "keras") || nl_sniff_holds(head, "layer_names") || nl_sniff_holds(head, "model_config")
             ? "a Keras model (HDF5). Export it to ONNX with tf2onnx"
             : "an HDF5 file, perhaps of Keras. Export the network to ONNX, with tf2onnx for instance";
}

// https://github.com/huggingface/safetensors: length of a JSON header, 8 bytes, then the header
static bool is_safetensors(nl_span head) {
  if (head.size < 10 || head.bytes[8] != '{') return false;
  uint64_t header = 0;
  for (size_t i = 0; i < 8; i++) header |= (uint64_t)head.bytes[i] << (8 * i);
  return header >= 2 && header <= 100000000;
}

// ---- zip: APPNOTE.TXT 4.3.12 and 4.3.16 --------------------------------------------------------------------------------

static size_t number(const uint8_t *at, size_t size) {
  size_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | at[i];
  return value;
}

// The central directory: what lies before the record that ends the archive. Empty where it is not within the tail.
static nl_span directory_of(nl_span tail) {
  for (size_t back = 22; back <= tail.size && back <= 22 + 65535; back++) {
    const uint8_t *end = tail.bytes + tail.size - back;
    if (memcmp(end, "PK\5\6", 4) != 0) continue;
    const size_t size = number(end + 12, 4);
    return size <= (size_t)(end - tail.bytes) ? (nl_span){end - size, size} : (nl_span){0};
  }
  return (nl_span){0};
}

// Whether a name in the archive ends in `text`; where the directory is out of sight, whether the head has it.
static bool has_name(nl_span head, nl_span tail, const char *text) {
  const nl_span directory = directory_of(tail);
  const size_t wanted = strlen(text);
  if (directory.size == 0) return nl_sniff_holds(head, text);
  for (size_t at = 0; directory.size - at >= 46 && memcmp(directory.bytes + at, "PK\1\2", 4) == 0;) {
    const uint8_t *entry = directory.bytes + at;
    const size_t name = number(entry + 28, 2), rest = number(entry + 30, 2) + number(entry + 32, 2);
    if (name + rest > directory.size - at - 46) return false;
    if (name >= wanted && memcmp(entry + 46 + name - wanted, text, wanted) == 0) return true;
    at += 46 + name + rest;
  }
  return false;
}

static const struct {
  const char *name, *what;
} MEMBERS[] = {
    {"constants.pkl", "a TorchScript model (PyTorch). " TORCH},
    {"data.pkl", "a PyTorch checkpoint: weights without their network. " TORCH},
    {"model.weights.h5", "a Keras model. Export it to ONNX, with tf2onnx or with model.export(…, format=\"onnx\")"},
    {"saved_model.pb", "a zip of a TensorFlow SavedModel. Convert it to ONNX with tf2onnx"},
    {"weights/weight.bin",
     "a Core ML package. Open the ONNX model, or export the network to ONNX where it was trained"},
    {"xl/workbook.xml", TABLE("an Excel workbook")},
    {".onnx", "a zip archive with a model in it. Unpack it and open the .onnx file"},
    {".npy", "a NumPy archive: " ROWS},
    {".png", "a zip of images: " ROWS},
    {".jpg", "a zip of images: " ROWS},
    {".jpeg", "a zip of images: " ROWS},
    {"", PACKED("a zip")},
};

static const char *zip_kind(nl_span head, nl_span tail) {
  if (!is_at(head, 0, "PK\3\4", 4) && !is_at(head, 0, "PK\5\6", 4)) return NULL;
  size_t i = 0;
  while (MEMBERS[i].name[0] != '\0' && !has_name(head, tail, MEMBERS[i].name)) i++;
  return MEMBERS[i].what;
}

// ---- all of it ---------------------------------------------------------------------------------------------------------

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

// The last eight bytes of a LevelDB table, which TensorFlow's checkpoints take for their index.
static bool is_checkpoint_index(nl_span tail) {
  return tail.size >= 48 && memcmp(tail.bytes + tail.size - 8, "\x57\xFB\x80\x8B\x24\x75\x47\xDB", 8) == 0;
}

static const char *kind_of(nl_span head, nl_span tail) {
  const char *what = signed_kind(head);
  if (what == NULL) what = zip_kind(head, tail);
  if (what == NULL) what = pickle_kind(head);
  if (what == NULL) what = hdf5_kind(head);
  if (what == NULL && is_safetensors(head))
    what = "a safetensors file: weights without their network. Export the network to ONNX";
  if (what == NULL && is_checkpoint_index(tail))
    what = "a TensorFlow checkpoint: weights without their network. Convert the network to ONNX with tf2onnx";
  if (what == NULL) what = nl_sniff_text(head);
  return what != NULL ? what : nl_sniff_protobuf(head);
}

nl_status nl_onnx_look(nl_span head, nl_span tail, nl_error *error) {
  if (head.size == 0) return nl_fail(error, NL_ERROR_EMPTY, NULL, NULL);
  if (is_at(head, 0, "version https://git-lfs", 23) && head.size < 1024)
    return nl_fail_count(error, NL_ERROR_GIT_LFS, NULL, lfs_size(head), head.size);
  const char *what = kind_of(head, tail);
  return what == NULL ? NL_OK : nl_fail(error, NL_ERROR_NOT_A_MODEL, NULL, what);
}

nl_status nl_onnx_sniff(nl_span bytes, nl_error *error) { return nl_onnx_look(bytes, bytes, error); }
