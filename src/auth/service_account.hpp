// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A Google service account that acts for a domain's users (RFC 7523 section 2.1, domain-wide delegation).
#include <optional>
#include <string>
#include <string_view>

#include "auth/rsa_key.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "net/url.hpp"

namespace syncline::auth {

class ServiceAccount {
 public:
  /// The JSON key file that the Google Cloud console gives. Errors (domain auth): "bad-key".
  static Result<ServiceAccount> parse(const Secret& json);

  const std::string& email() const noexcept { return email_; }
  /// The key file's `token_uri`.
  const net::Url& token_url() const noexcept { return token_url_; }
  /// Endpoints are settings.
  void use_token_url(net::Url url) { token_url_ = std::move(url); }

  /// A JWT (RS256) good for an hour, the longest that is taken. `subject`: the user to act for.
  Result<std::string> sign_assertion(std::string_view scope, std::string_view subject,
                                     const Clock& clock) const;

 private:
  RsaKey key_;
  std::string key_id_;
  std::string email_;
  net::Url token_url_;
};

}  // namespace syncline::auth
