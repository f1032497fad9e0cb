#pragma once

#include <cstddef>
#include <string>

#include "c/guard.hpp"
#include "fovea.h"
#include "fovea/model.hpp"

namespace fovea::c {

/// Throws Error invalid_argument, naming the list, for a place beyond its end.
template <class List>
decltype(auto) at(const List& list, std::size_t index, const char* name) {
  if (index >= list.size())
    refuse("there is no " + std::string(name) + " " + std::to_string(index) + ": there are " +
           std::to_string(list.size()));
  return list[index];
}

/// Rank and the first FOVEA_MAX_RANK extents.
template <class Info>
void put_shape(Info& info, const Shape& shape) {
  info.rank = static_cast<std::int32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size() && i < FOVEA_MAX_RANK; ++i) info.shape[i] = shape[i];
}

void write_value(fovea_value_info* to, const ValueInfo& value);

}  // namespace fovea::c
