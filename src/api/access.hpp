#pragma once

namespace fovea {

/// The library's way to what is behind its public classes.
struct Access {
  template <class Public>
  static const typename Public::Impl& impl(const Public& one) {
    return *one.impl_;
  }
};

}  // namespace fovea
