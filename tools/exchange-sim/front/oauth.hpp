// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The token endpoint of an online site and the check of the tokens it gave (RFC 6749, RFC 7521, RFC 7523),
// with the error codes of Microsoft's identity platform.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

struct TokenReply {
  int status = 400;
  std::string json;
  std::string grant;  ///< "client_credentials", "refresh_token"; empty: unreadable
  std::string error;  ///< "invalid_grant", …; empty: a token was given
  std::string client_id;
};

/// What a good access token says.
struct TokenClaims {
  std::string client_id;
  std::string address;  ///< of the user; empty: app-only
  bool app_only() const noexcept { return address.empty(); }
};

struct TokenVerdict {
  std::optional<TokenClaims> claims;
  std::string error;        ///< "invalid_token"
  std::string diagnostics;  ///< value of x-ms-diagnostics
};

class TokenServer {
 public:
  /// `site` must outlive it.
  TokenServer(const Site& site, const syncline::Clock& clock, syncline::Random& random);

  /// `form` is application/x-www-form-urlencoded; `audience` what a client_assertion must name (the
  /// endpoint's URLs).
  TokenReply answer(std::string_view form, std::string_view authorization,
                    const std::vector<std::string>& audiences);
  TokenVerdict check(std::string_view access_token) const;
  /// Without asking for anything but a known client_id; empty if there is none.
  std::string issue(std::string_view client_id, std::string_view address);
  /// All access and refresh tokens given so far are worthless.
  void revoke_all();

 private:
  struct Refresh {
    std::string client_id;
    std::string address;
    syncline::SystemTime expires;
    bool used = false;
  };
  const Application* find(std::string_view client_id) const;
  std::string sign(std::string_view signing_input) const;
  TokenReply refuse(int status, std::string error, int code, std::string text) const;
  TokenReply grant(const Application& application, const std::string& address, std::string refresh_token);
  std::string random_token();
  /// Why the assertion does not identify the application; empty: it does.
  std::string fault_of_assertion(const Application& application, std::string_view assertion,
                                 const std::vector<std::string>& audiences);

  const Site& site_;
  const syncline::Clock& clock_;
  syncline::Random& random_;
  std::string key_;
  std::uint64_t generation_ = 0;
  std::map<std::string, Refresh, std::less<>> refresh_tokens_;
  std::set<std::string, std::less<>> seen_assertions_;
};

/// name=value&… decoded; the last of a name counts.
std::map<std::string, std::string, std::less<>> parse_form(std::string_view form);
std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace exchange_sim
