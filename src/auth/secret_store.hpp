// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where secrets are kept between runs. Implemented by the vault; tests keep them in memory.
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace syncline::auth {

/// Called from one thread at a time. Both calls return when the outcome is durable; they may block for a disk
/// write.
class SecretStore {
 public:
  virtual ~SecretStore() = default;
  /// nullopt: nothing is kept under that key.
  virtual Result<std::optional<Secret>> get(std::string_view key) = 0;
  /// Replaces what was kept. On success the new value survives a crash that follows at once.
  virtual Result<void> put(std::string_view key, const Secret& secret) = 0;
};

}  // namespace syncline::auth
