// json_tree: what readers and writers do to cJSON's trees.
#include <string.h>

#include "json_parts.h"

size_t nl_json_members(const cJSON *item) {
  size_t count = 0;
  for (const cJSON *child = item == NULL ? NULL : item->child; child != NULL; child = child->next) count++;
  return count;
}

size_t nl_json_count(const cJSON *item) { return cJSON_IsArray(item) ? nl_json_members(item) : 0; }

nl_status nl_json_no_memory(nl_error *error) { return nl_no_memory(error, 1, sizeof(cJSON)); }

nl_status nl_json_set(cJSON *object, const char *key, cJSON *item, nl_error *error) {
  if (item == NULL) return nl_json_no_memory(error);
  const bool there = cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
  if (there ? cJSON_ReplaceItemInObjectCaseSensitive(object, key, item) : cJSON_AddItemToObject(object, key, item))
    return NL_OK;
  cJSON_Delete(item);
  return nl_json_no_memory(error);
}

nl_status nl_json_print(const cJSON *root, nl_buffer *out, nl_error *error) {
  char *text = cJSON_PrintUnformatted(root);
  if (text == NULL) return nl_json_no_memory(error);
  const nl_status status = nl_buffer_append(out, text, strlen(text), error);
  cJSON_free(text);
  return status;
}
