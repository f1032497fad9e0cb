#pragma once

#include <string>
#include <vector>

#include "api/support.hpp"
#include "onnx/model_builder.hpp"

namespace fovea::compose_test {

using api_test::count;
using api_test::random_input;

inline Model model_of(const test::ModelBuilder& builder) {
  const auto bytes = builder.serialize();
  return Model::from_bytes(test::as_bytes(bytes));
}

/// Of everything that a model can be asked by gradients, one number of a value.
inline ExplainerOptions options_for(const std::string& value) {
  ExplainerOptions out;
  out.prepare.methods = {Saliency{}};
  out.prepare.target_values = {value};
  return out;
}

/// The sentence of an error of this code; a failure where there is none.
inline std::string refusal(ErrorCode code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

inline void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace fovea::compose_test
