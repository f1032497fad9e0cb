#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.hpp"

/// The kernels again, slow and obvious, in double precision.
namespace fovea::simd::reference {

using i64 = std::int64_t;
using u8 = std::uint8_t;

/// Where channel c of position p lies.
i64 offset(MapLayout layout, i64 c, i64 p);

double channel_mean(const float* src, MapLayout layout, i64 c);
/// Sum of a[c, p] * weights[c]; `magnitude` takes the sum of the absolute terms.
double weighted_channel_sum(const float* src, MapLayout layout, const float* weights, i64 p,
                            double* magnitude);
double channel_dot(const float* a, const float* b, MapLayout layout, i64 p, double* magnitude);

/// In the layout of src; what pads its last block is zero.
std::vector<double> max_pool_backward(const float* diff, const float* src, MapLayout layout,
                                      const PoolWindow& window);
std::vector<double> average_pool_backward(const float* diff, MapLayout layout,
                                          const PoolWindow& window, const float* divisors);

/// sum_c matrix[r, c] * src[c], and sum_r src[r] * matrix[r, c].
double matrix_vector(const float* matrix, i64 columns, const float* src, i64 r, double* magnitude);
double vector_matrix(const float* matrix, i64 rows, i64 columns, const float* src, i64 c,
                     double* magnitude);

/// What one seed sends to the gates of cell i and, as `cell`, to c before the step.
struct LstmGradients {
  double gates[4];
  double cell;
};
LstmGradients lstm_backward(const LstmStep& step, i64 i, double dh, double dc);

double binary(Binary kind, double a, double b);

/// In long double, so that slopes can be taken by differences.
long double unary(Unary kind, long double a, long double b, long double x);
/// Central difference of unary(); wrong at kinks.
long double slope(Unary kind, long double a, long double b, long double x);

/// dh x dw.
std::vector<double> resize_bilinear(const float* src, i64 sh, i64 sw, i64 dh, i64 dw);

/// An output of one pass of Pillow's resize, from a line of bytes that lie `step` apart.
u8 pillow_output(const u8* line, i64 step, const PillowAxis& axis, i64 output);

int colour_index(float value);

/// The value that blend() rounds.
double blend(u8 photo, u8 heat, double alpha);

u8 grey(const u8* rgb);

}  // namespace fovea::simd::reference
