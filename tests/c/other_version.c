/* Prints what libfovea_vision_c says of the libfovea_c that it is run with. */
#include <stdio.h>

#include "fovea_vision.h"

int main(void) {
  const uint8_t pixel[3] = {0, 0, 0};
  fovea_photo* photo = NULL;
  fovea_error error;
  fovea_error_init(&error, sizeof error);
  const fovea_status status = fovea_photo_from_rgb(pixel, 1, 1, &photo, &error);
  fovea_photo_destroy(photo);
  printf("%s %s\n", fovea_status_name(status), status == FOVEA_OK ? "" : error.message);
  return 0;
}
