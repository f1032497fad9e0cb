#pragma once

#include <cstdint>

#include "graph/graph.hpp"

/// The steps of a recurrent network, and the way back through them.
namespace fovea::engine {

struct CellSizes {
  std::int64_t time = 0, directions = 0, images = 0, hidden = 0, gates = 0;
  std::int64_t rows() const { return gates * hidden; }  ///< of a direction's weights

  static CellSizes of(const graph::Recurrent& op, const Shape& x, const Shape& recurrence);
};

/// What a walk back is for: the rows of these times, and what reaches the states before the first
/// step, or not. Steps that nothing of it needs are left out.
struct Wanted {
  std::int64_t first = 0, last = 0;
  bool states = false;
};

/// What a walk back of several seeds reads and writes: as CellRun::backward and its rows, of one
/// seed behind the other.
struct SeedWalk {
  struct Part {
    float* data = nullptr;    ///< null: of gradients zero
    std::int64_t stride = 0;  ///< from one seed's to the next one's
    float* of(std::int64_t seed) const { return data != nullptr ? data + seed * stride : nullptr; }
  };
  std::int64_t seeds = 1;
  Part dy = {}, d_last_hidden = {}, d_last_cell = {};  ///< read
  /// Written: the rows of the wanted times, and where states are wanted, their gradients.
  Part rows = {}, d_hidden = {}, d_cell = {};
  Wanted wanted;
  std::int64_t groups = 1;  ///< of seeds, which run in parallel
  /// [directions, images, seeds, scratch(sizes)].
  float* scratch = nullptr;
  static std::int64_t scratch_of(const CellSizes& sizes) {
    return 3 * sizes.rows() + 6 * sizes.hidden;
  }
  /// At most so many seeds are in a group.
  static constexpr std::int64_t kGroup = 32;
};

/// One pass over row-major memory. A direction's steps are counted in the order in which they run:
/// step 0 of a reversed one is an image's last. The images of a direction do not know of each
/// other, so pieces of them run in parallel, and a product's rows where there is one piece only.
struct CellRun {
  const graph::Recurrent& op;
  CellSizes sizes;
  /// [time, images, directions, rows]: forward, the weights times x; backward, where the gradients
  /// with respect to that go.
  float* rows = nullptr;
  const float* recurrence = nullptr;  ///< [directions, rows, hidden]
  const float* bias = nullptr;        ///< [directions, 2 rows]; may be null, as the next two
  const float* lengths = nullptr;     ///< [images]
  const float* peepholes = nullptr;   ///< [directions, 3 hidden], i o f

  float* before = nullptr;  ///< [directions, steps, images, rows]: what the activations get
  float* hidden = nullptr;  ///< [directions, steps + 1, images, hidden]: h before each step
  /// The same extents. lstm: c before each step. gru: of each step r h, or where
  /// linear_before_reset what r is multiplied with.
  float* inner = nullptr;
  /// [directions, images, rows + hidden], backward twice as wide.
  float* scratch = nullptr;

  /// From the states (null: zero) to y [time, directions, images, hidden], zero beyond an image's
  /// length, and the states after each image's last step; null where nobody asks. Throws Error
  /// bad_input for a length that is none.
  void forward(const float* first_hidden, const float* first_cell, float* y, float* last_hidden,
               float* last_cell) const;
  /// From the gradients of the results (null: zero) to those of the rows and of the states. What is
  /// not wanted of them holds anything.
  void backward(const float* dy, const float* d_last_hidden, const float* d_last_cell,
                const Wanted& wanted, float* d_hidden, float* d_cell) const;
  /// The same of several seeds, by what each step is to all of them. A seed costs nothing at the
  /// steps behind the last that it has a gradient at.
  void backward(const SeedWalk& walk) const;
  /// The same of relevance: what is multiplied with a gate takes all of it and the gate none, an
  /// activation passes it on, and a sum shares it out in proportion. To `rows` goes s = R / (z +
  /// stabilizer sign(z)), z being what the candidate's activation got, and zeros to the gates'.
  /// `lost`, [directions, images, 2]: what biases and stabilizers absorb.
  void relevance(const float* ry, const float* r_last_hidden, const float* r_last_cell,
                 float stabilizer, float* r_hidden, float* r_cell, double* lost) const;
};

}  // namespace fovea::engine
