/* Memory for what the plan bounds: tare-init has no heap. A little comes with the program, the rest
 * straight from mmap(2). It is given back by exec or exit. */
#include "init/init.h"

#include <sys/mman.h>

enum
{
  LITTLE = 8192, /* bytes: the vectors of most plans */
};

void *
init_memory (size_t size)
{
  static _Alignas(16) char little[LITTLE];
  static size_t used;
  size_t rounded = (size + 15) & ~(size_t) 15;
  if (size <= LITTLE && rounded <= LITTLE - used)
    {
      used += rounded;
      return little + used - rounded;
    }
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
