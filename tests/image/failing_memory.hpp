#pragma once

namespace fovea::image::test {

/// Of the allocations by `new` that this thread makes from now on, the one with this number (from
/// 0) fails, and those after it succeed again; with a negative number none fails.
void fail_allocation(int number);

}  // namespace fovea::image::test
