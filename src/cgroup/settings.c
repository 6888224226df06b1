/* The list of settings that compiling makes: grown, said as text, and what follows where a
 * controller is missing. Pure.
 */
#define _GNU_SOURCE
#include "cgroup/compile.h"

bool
list_has (const char *list, const char *name)
{
  size_t length = strlen (name);
  while (*list != '\0')
    {
      size_t word = strcspn (list, ", ");
      if (word == length && memcmp (list, name, length) == 0)
        return true;
      list += word;
      list += strspn (list, ", ");
    }
  return false;
}

enum version
find_version (const struct compiler *c, const char *v1, const char *v2)
{
  if (v1 != NULL && list_has (c->facts->v1, v1))
    return VERSION_1;
  return v2 != NULL && list_has (c->facts->v2, v2) ? VERSION_2 : VERSION_NONE;
}

int
miss_controller (const struct compiler *c, const char *property, const char *v1, const char *v2,
                 enum otherwise otherwise)
{
  bool pure_v2 = *c->facts->v1 == '\0';
  if (otherwise == HIDDEN)
    return 0;
  if (!pure_v2 || v2 != NULL)
    return fail_kind (c->error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "linux.resources.%s: the %s controller is not available to the container's "
                      "cgroup",
                      property, pure_v2 ? v2 : v1);
  if (otherwise == REFUSE)
    return fail_kind (c->error, TARE_ERROR_UNSUPPORTED, -EOPNOTSUPP,
                      "linux.resources.%s: cgroup v2 has nothing like it", property);
  add_warning (c, property, "cgroup v2 has nothing like it");
  return 0;
}

void
add_warning (const struct compiler *c, const char *property, const char *text)
{
  struct cgroup_settings *settings = c->settings;
  if (settings->n_warnings == COUNT_OF (settings->warnings))
    return;
  const char *line =
      arena_format (&settings->arena, "linux.resources.%s: left out: %s", property, text);
  if (line != NULL)
    settings->warnings[settings->n_warnings++] = line;
}

static const char *
keep (struct arena *arena, const char *text)
{
  return arena_copy (arena, text, strlen (text));
}

int
add_setting (const struct compiler *c, struct cgroup_setting setting)
{
  struct cgroup_settings *settings = c->settings;
  if (settings->count == settings->capacity)
    {
      size_t capacity = settings->capacity * 2 + 32;
      void *items = reallocarray (settings->items, capacity, sizeof *settings->items);
      if (items == NULL)
        return fail (c->error, ENOMEM, "linux.resources.%s", setting.property);
      settings->items = items;
      settings->capacity = capacity;
    }
  setting.controller = keep (&settings->arena, setting.controller);
  setting.file = keep (&settings->arena, setting.file);
  setting.value = keep (&settings->arena, setting.value);
  setting.property = keep (&settings->arena, setting.property);
  if (setting.controller == NULL || setting.file == NULL || setting.value == NULL
      || setting.property == NULL)
    return fail (c->error, ENOMEM, "compile limits");
  settings->items[settings->count++] = setting;
  return 0;
}

void
cgroup_settings_done (struct cgroup_settings *settings)
{
  free_pointer (&settings->items);
  arena_done (&settings->arena);
  *settings = (struct cgroup_settings){ 0 };
}

void
cgroup_settings_print (const struct cgroup_settings *settings, struct buf *buf)
{
  static const struct
  {
    uint16_t flag;
    const char *word;
  } words[] = {
    { SETTING_OPTIONAL, "optional" }, { SETTING_QUIET, "quiet" }, { SETTING_RETRY, "retry" },
    { SETTING_ELSE, "else" },         { SETTING_CHECK, "check" },
  };
  for (size_t i = 0; i < settings->count; i++)
    {
      const struct cgroup_setting *s = &settings->items[i];
      buf_format (buf, "v%d %s %s '%s'", s->v2 ? 2 : 1,
                  *s->controller != '\0' ? s->controller : "-", s->file, s->value);
      for (size_t w = 0; w < COUNT_OF (words); w++)
        if (s->flags & words[w].flag)
          buf_format (buf, " %s", words[w].word);
      buf_text (buf, "\n");
    }
  for (size_t i = 0; i < settings->n_warnings; i++)
    buf_format (buf, "warning: %s\n", settings->warnings[i]);
}
