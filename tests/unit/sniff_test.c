// What is opened as a model and is none: each kind by its first bytes, with the way out in the sentence.
#include "formats.h"
#include "onnx_parts.h"

#define BYTES(literal) literal, sizeof(literal) - 1

// A zip of empty files by these names: local headers far apart, as large files would set them, and the directory at the end.
static nl_buffer zip_of(size_t count, const char *const *names) {
  nl_buffer zip = {0}, directory = {0};
  const uint8_t zeros[8192] = {0};
  for (size_t i = 0; i < count; i++) {
    const uint8_t size = (uint8_t)strlen(names[i]);
    uint8_t local[30] = "PK\3\4", entry[46] = "PK\1\2";
    local[26] = entry[28] = size;
    OK(nl_buffer_append(&zip, local, 30, NULL)), OK(nl_buffer_append(&zip, names[i], size, NULL));
    OK(nl_buffer_append(&zip, zeros, sizeof zeros, NULL));
    OK(nl_buffer_append(&directory, entry, 46, NULL)), OK(nl_buffer_append(&directory, names[i], size, NULL));
  }
  uint8_t end[22] = "PK\5\6";
  end[12] = (uint8_t)directory.size, end[13] = (uint8_t)(directory.size >> 8);
  OK(nl_buffer_append(&zip, directory.bytes, directory.size, NULL)), OK(nl_buffer_append(&zip, end, 22, NULL));
  nl_buffer_free(&directory);
  return zip;
}

static void assert_says(nl_span file, const char *what) {
  uint8_t *exact = malloc(file.size);
  memcpy(exact, file.bytes, file.size);
  nl_error error = {0};
  assert_int_equal(nl_onnx_look((nl_span){exact, file.size}, (nl_span){exact, file.size}, &error),
                   NL_ERROR_NOT_A_MODEL);
  if (strstr(error.detail, what) == NULL) fail_msg("“%s” does not say %s", error.detail, what);
  assert_non_null(strstr(error.detail, ". ")); // and what to do instead
  assert_true(strlen(error.detail) < NL_ERROR_TEXT - 1);
  free(exact);
}

static void other_files_are_recognised(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    const char *what;
  } files[] = {
      {BYTES("\x89PNG\r\n\x1a\n"), "a PNG image"},
      {BYTES("\xFF\xD8\xFF\xE0"), "a JPEG image"},
      {BYTES("GIF89a"), "a GIF image"},
      {BYTES("RIFF\x10\0\0\0WEBPVP8 "), "a WebP image"},
      {BYTES("II*\0\x08\0\0\0"), "a TIFF image"},
      {BYTES("MM\0*\0\0\0\x08"), "a TIFF image"},
      {BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0(\0\0\0"), "a BMP image"},
      {BYTES("\0\0\0 ftypavif"), "an AVIF image"},
      {BYTES("\x1F\x8B\x08\0"), "a gzip archive. Unpack"},
      {BYTES("BZh91AY"), "a bzip2 archive"},
      {BYTES("\xFD"
             "7zXZ\0"),
       "an xz archive"},
      {BYTES("7z\xBC\xAF\x27\x1C"), "a 7-Zip archive"},
      {BYTES("\x28\xB5\x2F\xFD\x04"), "a Zstandard archive"},
      {BYTES("Rar!\x1A\x07\x01\0"), "a RAR archive"},
      {BYTES("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "a zip archive"},
      {BYTES("%PDF-1.7"), "a PDF document"},
      {BYTES("\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20j\xA8P\x19.\x80\x02M"), "PyTorch checkpoint"},
      {BYTES("\x80\x04\x95\x10\0\0\0\0\0\0\0\x8C\x1Asklearn.neural_network"), "scikit-learn"},
      {BYTES("\x80\x05\x95\x10\0\0\0\0\0\0\0}\x94"), "a Python pickle"},
      {BYTES("\x80\x02}q\0"), "a Python pickle"},
      {BYTES("\x10\0\0\0\0\0\0\0{\"a\":0         }"), "safetensors"},
      {BYTES("\x1C\0\0\0TFL3\x14\0"), "TensorFlow Lite"},
      {BYTES("\x1C\0\0\0ORTM\x14\0"), "ORT format"},
      {BYTES("\x1C\0\0\0MSL2\x14\0"), "MindSpore"},
      {BYTES("\x89HDF\r\n\x1a\n"), "an HDF5 file"},
      {BYTES("\x89HDF\r\n\x1a\n\0\0keras_version"), "a Keras model"},
      {BYTES("GGUF\x03\0\0\0"), "GGUF"},
      {BYTES("tjgg\x01\0\0\0"), "GGML"},
      {BYTES("RKNN\0\0\0\0"), "Rockchip"},
      {BYTES("ftrt\0\0\0\0"), "TensorRT"},
      {BYTES("\0\0\0\0\2\0\0\0\5\0\0\0\0\x7D\0\0"), "Darknet"},
      {BYTES("\x93NUMPY\x01\0"), "a NumPy array"},
      {BYTES("PAR1\x15\x04"), "Parquet"},
      {BYTES("ARROW1\0\0"), "Arrow"},
      {BYTES("MATLAB 5.0 MAT-file, Platform"), "MATLAB"},
      {BYTES("\x7F"
             "ELF\2\1\1"),
       "a program"},
      {BYTES("MZ\x90\0"), "a program"},
      {BYTES("\0asm\1\0\0\0"), "a program"},
      // protobuf
      {BYTES("\x08\x01\x12\x20\x0A\x05\x12\x03tag"), "SavedModel"},
      {BYTES("\x0A\x0C\x0A\x01x\x12\x07"
             "Const__\x0A\x02"),
       "frozen TensorFlow graph"},
      {BYTES("\x08\x06\x12\x04\x0A\x02\x0A\0\xA2\x1F\x02\x0A\0"), "Core ML"},
      {BYTES("\x0A\x05LeNet\xA2\x06\x04\x0A\x02xy"), "Caffe model"},
      {BYTES("\x0A\x0D\x08\0\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), "PaddlePaddle"},
      {BYTES("\x08\x02\x10\x01\x4A\x04\0\0\0\0"), "a single tensor"},
      // text
      {BYTES("  <!DOCTYPE HTML><html>"), "a web page"},
      {BYTES("<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\"><layers>"), "OpenVINO"},
      {BYTES("<?xml version=\"1.0\"?>\n<PMML version=\"4.2\">"), "PMML"},
      {BYTES("<?xml version=\"1.0\"?><a/>"), "an XML file"},
      {BYTES("7767517\n75 83\nInput data 0 1 data"), "ncnn"},
      {BYTES("name: \"LeNet\"\nlayer {\n name: \"ip\" bottom: \"data\"\n}"), "Caffe network"},
      {BYTES("[net]\nbatch=1\n[convolutional]\nfilters=32"), "Darknet"},
      {BYTES("model_checkpoint_path: \"model-1\""), "TensorFlow checkpoint"},
      {BYTES("// a network\n2,2,3,3,\n2,2,3,\n0,\n-1000.0,-1000.0,\n0.5,0.25,1.5\n"), "NNet"},
      {BYTES("ir_version: 7\ngraph {\n}"), "ONNX model as text"},
      {BYTES("import torch\nnet = torch.nn.Linear(1, 1)\n"), "Python program"},
      {BYTES("../../gen/model/model.onnx"), "a link to another file"},
      {BYTES("age,height,target\n1,2.5,3\n4,5,-6e-3\n7,8.25,9\n"), "a table of numbers"},
      {BYTES("{\"a\": 1}"), "JSON"},
      {BYTES("[[1, 2], [3, 4]]"), "JSON"},
      {BYTES("some words, no more"), "plain text"},
      {BYTES(" \n"), "blank text"},
  };
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    assert_says((nl_span){(const uint8_t *)files[i].bytes, files[i].size}, files[i].what);
}

static void an_archive_is_told_by_the_names_in_it_wherever_they_stand(void **state) {
  (void)state;
  static const struct {
    const char *names[3];
    const char *what;
  } archives[] = {
      {{"archive/data.pkl", "archive/data/0", "archive/version"}, "PyTorch checkpoint"},
      {{"net/data.pkl", "net/code/__torch__.py", "net/constants.pkl"}, "TorchScript"},
      {{"metadata.json", "config.json", "model.weights.h5"}, "Keras"},
      {{"Manifest.json", "Data/com.apple.CoreML/model.mlmodel", "Data/com.apple.CoreML/weights/weight.bin"}, "Core ML"},
      {{"m/variables/variables.index", "m/x", "m/saved_model.pb"}, "SavedModel"},
      {{"[Content_Types].xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"}, "Excel"},
      {{"readme.txt", "x", "model.onnx"}, "Unpack it and open the .onnx"},
      {{"x.npy", "y.npy", "z"}, "NumPy"},
      {{"cats/1.jpg", "cats/2.jpg", "dogs/1.png"}, "images"},
      {{"readme", "notes", "more"}, "a zip archive. Unpack"},
  };
  for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
    nl_buffer zip = zip_of(3, archives[i].names);
    assert_says((nl_span){zip.bytes, zip.size}, archives[i].what);
    nl_buffer_free(&zip);
  }
}

static void an_archive_cut_or_changed_anywhere_is_still_only_looked_at(void **state) {
  (void)state;
  static const char *const names[] = {"a/data.pkl", "a/constants.pkl"};
  nl_buffer zip = zip_of(2, names);
  for (size_t back = 1; back < 160; back++) {
    nl_error error = {0};
    const size_t size = zip.size - back;
    uint8_t *cut = malloc(size);
    memcpy(cut, zip.bytes, size);
    assert_int_equal(nl_onnx_look((nl_span){cut, size}, (nl_span){cut, size}, &error), NL_ERROR_NOT_A_MODEL);
    zip.bytes[zip.size - back] ^= 0xFF;
    error = (nl_error){0};
    nl_span all = {zip.bytes, zip.size};
    assert_int_equal(nl_onnx_look(all, all, &error), NL_ERROR_NOT_A_MODEL);
    zip.bytes[zip.size - back] ^= 0xFF;
    free(cut);
  }
  nl_buffer_free(&zip);
}

static void a_tar_and_a_checkpoint_are_told_further_in_and_at_the_end(void **state) {
  (void)state;
  uint8_t tar[512] = "model/", index[64] = {1, 2, 3};
  memcpy(tar + 257, "ustar", 5);
  assert_says((nl_span){tar, sizeof tar}, "a tar archive");
  memcpy(index + 56, "\x57\xFB\x80\x8B\x24\x75\x47\xDB", 8);
  assert_says((nl_span){index, sizeof index}, "TensorFlow checkpoint");
}

// Found by fuzzing: weights that spell what a tar has at this place.
static void a_model_is_told_by_its_beginning_whatever_its_weights_spell(void **state) {
  (void)state;
  nl_error error = {0};
  uint8_t model[512] = {0x08, 0x0D};
  memcpy(model + 257, "ustar", 5);
  memcpy(model + 4, "TFL3", 4);
  assert_int_equal(nl_onnx_sniff((nl_span){model, sizeof model}, &error), NL_OK);
}

static void empty_files_and_git_lfs_pointers_have_errors_of_their_own(void **state) {
  (void)state;
  nl_error error = {0};
  assert_int_equal(status_of((nl_span){0}, &error), NL_ERROR_EMPTY);
  assert_int_equal(status_of(span("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 10244250\n"), &error),
                   NL_ERROR_GIT_LFS);
  assert_int_equal(error.expected, 10244250);
}

static void what_is_nothing_known_is_said_when_it_is_read(void **state) {
  (void)state;
  nl_error error;
  assert_int_equal(status_of((nl_span){(const uint8_t *)"\xFF\x01\x02\x03", 4}, &error), NL_ERROR_NOT_A_MODEL);
  assert_non_null(strstr(error.detail, "of a kind netlump does not know"));
  assert_int_equal(status_of((nl_span){(const uint8_t *)"\x08\x07", 2}, &error), NL_ERROR_NOT_A_MODEL);
  assert_non_null(strstr(error.detail, "without an ONNX network"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(other_files_are_recognised),
      cmocka_unit_test(an_archive_is_told_by_the_names_in_it_wherever_they_stand),
      cmocka_unit_test(an_archive_cut_or_changed_anywhere_is_still_only_looked_at),
      cmocka_unit_test(a_tar_and_a_checkpoint_are_told_further_in_and_at_the_end),
      cmocka_unit_test(a_model_is_told_by_its_beginning_whatever_its_weights_spell),
      cmocka_unit_test(empty_files_and_git_lfs_pointers_have_errors_of_their_own),
      cmocka_unit_test(what_is_nothing_known_is_said_when_it_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
