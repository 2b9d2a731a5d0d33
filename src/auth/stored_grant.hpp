// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a person's sign-in leaves behind: the refresh token with what is known about it, one secret of a
// SecretStore.
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace syncline::auth {

struct StoredGrant {
  Secret refresh_token;
  std::optional<SystemTime> obtained = std::nullopt;  ///< when the person signed in; not when it was rotated
  std::optional<SystemTime> ends = std::nullopt;      ///< where the server said so
  std::string scope = {};                             ///< what the server granted, if it said so

  /// Set once the server has refused the token for good: nobody asks with it again.
  struct Refusal {
    SystemTime at{};
    std::string code = {};     ///< "invalid_grant", "testing-mode-expired"
    std::string message = {};  ///< for a person
  };
  std::optional<Refusal> refusal = std::nullopt;

  /// As `print` made it, or a bare refresh token as `secret set --kind token` seals it. Error (domain local):
  /// "bad-grant".
  static Result<StoredGrant> parse(const Secret& kept);
  Secret print() const;
};

}  // namespace syncline::auth
