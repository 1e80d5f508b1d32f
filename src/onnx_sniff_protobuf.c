// onnx_sniff_protobuf: networks of others that are protobuf messages as ONNX is, told by the fields at their top.
#include "onnx_parts.h"
#include "onnx_sniff.h"

enum {
  SEEN = 64,
  CAFFE_LAYER = 100,
  COREML_MODELS = 200
}; // numbers of fields: NetParameter.layer, Model.pipelineClassifier ...

typedef struct top {
  nl_span first[4]; // what the first field of each small number holds, as far as it is there
  uint32_t kinds[4];
  bool caffe, coreml, graph;
} top;

static void see(top *t, uint32_t tag, nl_span content) {
  const uint32_t number = tag >> 3;
  if (number < 4 && t->kinds[number] == 0) t->kinds[number] = tag, t->first[number] = content;
  t->graph = t->graph || tag == NL_MODEL_GRAPH;
  t->caffe = t->caffe || tag == NL_TAG(CAFFE_LAYER, NL_WIRE_BYTES);
  t->coreml = t->coreml || (number >= COREML_MODELS && number < 4000 && (tag & 7) == NL_WIRE_BYTES);
}

// The field that does not fit counts with what there is of it: the head of a large file ends within one.
static top look(nl_span bytes) {
  top t = {0};
  nl_wire wire = nl_wire_open(bytes);
  size_t count = 0;
  for (nl_field field; count < SEEN && !t.graph && nl_wire_next(&wire, &field); count++)
    see(&t, field.tag, field.bytes);
  if (wire.fault == NL_WIRE_SHORT && (wire.fault_tag & 7) == NL_WIRE_BYTES)
    see(&t, wire.fault_tag, (nl_span){wire.at, (size_t)(wire.end - wire.at)});
  return t;
}

static bool begins(nl_span content, uint8_t byte) { return content.size > 0 && content.bytes[0] == byte; }

static bool is_word(nl_span text) {
  for (size_t i = 0; i < text.size; i++)
    if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7E) return false;
  return text.size > 0 && text.size < 256;
}

// NodeDef: name = 1, op = 2, both text
static bool is_graphdef_node(nl_span message) {
  nl_wire wire = nl_wire_open(message);
  nl_field name, op;
  return nl_wire_next(&wire, &name) && name.tag == NL_TAG(1, NL_WIRE_BYTES) && is_word(name.bytes) &&
         nl_wire_next(&wire, &op) && op.tag == NL_TAG(2, NL_WIRE_BYTES) && is_word(op.bytes);
}

const char *nl_sniff_protobuf(nl_span head) {
  const uint32_t number = NL_TAG(1, NL_WIRE_VARINT), one = NL_TAG(1, NL_WIRE_BYTES), two = NL_TAG(2, NL_WIRE_BYTES);
  const top t = look(head);
  if (t.graph) return NULL;
  if (t.kinds[1] == number && t.kinds[2] == two && t.coreml)
    return "a Core ML model. Open the ONNX model, or export the network to ONNX where it was trained";
  if (t.kinds[1] == number && t.kinds[2] == two && begins(t.first[2], 0x0A)) // meta_graphs: meta_info_def = 1
    return "a TensorFlow SavedModel. Convert its folder to ONNX with tf2onnx";
  if (t.kinds[1] == one && is_word(t.first[1]) && (t.caffe || t.kinds[2] == two))
    return "a Caffe model. Convert it to ONNX together with its .prototxt";
  if (t.kinds[1] == one && is_graphdef_node(t.first[1]))
    return "a frozen TensorFlow graph. Convert it to ONNX with tf2onnx (--graphdef)";
  if (t.kinds[1] == one && begins(t.first[1], 0x08) && t.first[1].size > 2 &&
      t.first[1].bytes[2] == 0x10) // idx, parent_idx
    return "a PaddlePaddle model. Convert it to ONNX with paddle2onnx";
  if (t.kinds[1] == number && t.kinds[2] == NL_TAG(2, NL_WIRE_VARINT)) // TensorProto: dims, data_type
    return "a single tensor in ONNX's form, not a model. Choose a .onnx or .json file";
  return NULL;
}
