#include <algorithm>
#include <string>
#include <string_view>

#include "c/tensors.hpp"
#include "fovea/session.hpp"
#include "vision_c/guard.hpp"
#include "vision_c/handles.hpp"

extern "C" {

fovea_status fovea_labels(const char* file, const fovea_model* model, char* buffer, size_t capacity,
                          size_t* size, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto labels = file != nullptr ? fovea::read_labels(file)
                                        : fovea::labels_of(fovea::c::used(model, "model").model);
    std::string bytes;
    for (const auto& label : labels) {
      bytes += label.substr(0, label.find('\0'));
      bytes += '\0';
    }
    return fovea::c::give_bytes(error, buffer, capacity, size, bytes);
  });
}

fovea_status fovea_find_label(const char* names, size_t size, const char* text,
                              int64_t* class_index, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    std::string_view rest(&fovea::c::required(names, "names"), size);
    auto& to = fovea::c::required(class_index, "class_index");
    const std::string wanted = &fovea::c::required(text, "text");
    fovea::Labels labels;
    while (!rest.empty()) {
      labels.emplace_back(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(std::min(rest.size(), labels.back().size() + 1));
    }
    to = fovea::find_label(labels, wanted);
    return FOVEA_OK;
  });
}

}  // extern "C"
