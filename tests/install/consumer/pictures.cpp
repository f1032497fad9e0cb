#include <fovea/image.hpp>
#include <iostream>

int main() {
  try {
    fovea::read_image("no such file.png");
  } catch (const fovea::Error& error) {
    std::cout << fovea::to_string(error.code()) << '\n';
  }
}
