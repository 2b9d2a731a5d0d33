// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where bearer tokens come from.
#include <cstdint>
#include <string>

#include "base/secret.hpp"
#include "net/async.hpp"

namespace syncline::auth {

struct AccessToken {
  Secret value;
  std::uint64_t generation = 0;  ///< tells one issue from the next; for TokenSource::replace
};

/// Shared by all connections of an identity; safe to call from several coroutines and threads.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  /// A token that is good for a while yet. However many ask at once, one request goes out.
  /// Errors: domain auth; class reauthenticate ("invalid_grant", …) says that a person or new settings are
  /// needed, and stays until credentials_changed() or until a new sign-in is found where it is kept: no
  /// further request is sent.
  virtual net::Async<AccessToken> token() = 0;
  /// After a 401 to the token of that generation: another one. Makes no request when a newer one is there
  /// already.
  virtual net::Async<AccessToken> replace(std::uint64_t refused_generation) = 0;
  /// Identity and fingerprint of what the tokens are got with; never a token (those change all the time).
  virtual std::string pool_key() const = 0;
  /// New consent or a new secret is in place: forgets a standing refusal and the cached token.
  virtual void credentials_changed() = 0;
};

}  // namespace syncline::auth
