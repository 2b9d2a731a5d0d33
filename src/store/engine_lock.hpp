// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One engine per organisation, by a lock that names its pid (invariant 24).
#include <memory>
#include <string>

#include "base/error.hpp"

namespace syncline::store {

/// Held until destroyed; the kernel frees it when the process dies.
class EngineLock {
 public:
  /// `folder`/engine.lock. Error "engine-running", whose message has the pid of the one that holds it.
  static Result<EngineLock> take(const std::string& folder);
  EngineLock(EngineLock&& other) noexcept;
  EngineLock& operator=(EngineLock&&) = delete;
  ~EngineLock();

 private:
  explicit EngineLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace syncline::store
