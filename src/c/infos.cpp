#include "c/infos.hpp"

#include "c/structs.hpp"

namespace fovea::c {

void write_value(fovea_value_info* to, const ValueInfo& value) {
  auto info = defaults<fovea_value_info>();
  info.name = value.name.c_str();
  info.dtype = static_cast<fovea_dtype>(value.type);
  put_shape(info, value.shape);
  if (!value.is_ranked) info.rank = -1;
  info.refusal = value.refusal.empty() ? nullptr : value.refusal.c_str();
  write(required(to, "info"), info);
}

}  // namespace fovea::c
