// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// RSA keys that sign JSON Web Tokens (RFC 7515, RFC 7518 section 3).
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

struct evp_pkey_st;

namespace syncline::auth {

enum class AssertionAlgorithm { ps256, rs256 };

/// A parsed private key; copies share it.
class RsaKey {
 public:
  /// PEM, RSA of 2048 bits or more. Error: auth "bad-key"; an encrypted key is one.
  static Result<RsaKey> load(const Secret& pem);

  /// header.claims.signature, from the two as JSON. Error: auth "signing-failed".
  Result<std::string> sign_jwt(AssertionAlgorithm algorithm, std::string_view header,
                               std::string_view claims) const;
  evp_pkey_st* handle() const noexcept { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace syncline::auth
