/* tare-init as it was built, in read-only data: what the host side puts in a sealed memfd and
 * executes. The build gives the file; nothing else is in here. */
#ifndef TARE_INIT_FILE
#define TARE_INIT_FILE "tare-init"
#endif
  .section .rodata.tare_init_image, "a", %progbits
  .global tare_init_image
  .global tare_init_image_end
  .hidden tare_init_image
  .hidden tare_init_image_end
  .type tare_init_image, %object
  .type tare_init_image_end, %object
  .balign 4096
tare_init_image:
  .incbin TARE_INIT_FILE
tare_init_image_end:
  .byte 0
  .size tare_init_image, tare_init_image_end - tare_init_image
  .size tare_init_image_end, 1

  .section .note.GNU-stack, "", %progbits

#ifdef __CET__
/* Without this note the linker would drop CET's from the whole program. */
#include <cet.h>
#endif
