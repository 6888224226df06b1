/* Memory for what the plan bounds, straight from mmap(2): tare-init has no heap. It is given back
 * by exec or exit. */
#include "init/init.h"

#include <sys/mman.h>

void *
init_memory (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

const char **
init_vector (const struct plan *plan, plan_texts texts)
{
  const char **vector = init_memory (((size_t) texts.count + 3) * sizeof *vector);
  for (size_t i = 0; vector != NULL && i < texts.count; i++)
    vector[i] = plan_string_at (plan, texts, i);
  return vector;
}
