// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where the users of a profile sign in: what the profile states, and the providers' own addresses for the
// rest.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/oauth.hpp"
#include "model/profile.hpp"

namespace syncline::service {

struct OAuthEndpoints {
  auth::TokenEndpoint token;  ///< without the client's proof, which is in the vault
  std::optional<net::Url> authorisation;
  std::optional<net::Url> device;
  std::optional<net::Url> revocation;
  /// How the loopback address is spelled in a redirect: as the provider lets it be registered.
  std::string redirect_host = "127.0.0.1";
  /// What the provider wants in the authorisation request besides.
  std::vector<std::pair<std::string, std::string>> authorisation_extra;
};

/// Google for Gmail profiles, Microsoft where a tenant is stated or Exchange is, else what is stated alone.
/// Error (input): "bad-settings" for what is missing or no address.
Result<OAuthEndpoints> oauth_endpoints(const model::Profile& profile);

}  // namespace syncline::service
