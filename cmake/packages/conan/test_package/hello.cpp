#include <fovea/fovea.hpp>
#include <iostream>

int main() { std::cout << "fovea " << fovea::build_info().version << '\n'; }
