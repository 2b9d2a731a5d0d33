// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Posts JSON to receivers: https only, only where TargetRule allows, on redirects too.
#include <memory>
#include <string>

#include "admin/webhooks/target_rule.hpp"
#include "net/http_client.hpp"

namespace syncline::admin {

struct PosterSettings {
  TargetRule targets = {};
  std::string ca_file = {};  ///< PEM; empty: the system's
};

class Poster {
 public:
  /// `environment` must outlive it.
  static Result<std::unique_ptr<Poster>> make(net::Environment& environment, PosterSettings settings);

  /// Any 2xx is success. Errors: those of the HTTP client; "address-not-allowed"; "bad-url" for what is not
  /// https; http "refused-by-receiver" for another status, which is in Error::http_status, with the
  /// receiver's Retry-After.
  net::Async<void> post(std::string url, std::string body, net::Headers headers);

 private:
  Poster(net::Environment& environment, PosterSettings settings);
  GuardedConnector connector_;
  net::Environment environment_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace syncline::admin
