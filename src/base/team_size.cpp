#include "base/team_size.hpp"

#include <omp.h>

namespace fovea::base {

int set_team_size(int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  return before;
}

}  // namespace fovea::base
