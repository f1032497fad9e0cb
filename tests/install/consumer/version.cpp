#include <fovea/fovea.hpp>
#include <iostream>

int main() {
  std::cout << fovea::build_info().version << '\n';
  try {
    fovea::Model::load("no such file.onnx");
  } catch (const fovea::Error& error) {
    std::cout << fovea::to_string(error.code()) << '\n';
  }
}
