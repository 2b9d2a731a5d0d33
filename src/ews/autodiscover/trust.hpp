// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Invariant 28: which hosts discovery may talk to with credentials, and which endpoints it may hand out.
// Pure.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/url.hpp"

namespace syncline::ews::autodiscover {

struct Address {
  std::string text;    ///< as given, trimmed
  std::string domain;  ///< lower case
};

/// A mailbox's address: one '@', a local part without white space, control characters and quotes, a host name
/// of at least two labels as domain (international names in their xn-- form). Error: input "bad-address".
Result<Address> parse_address(std::string_view text);

/// Hosts that are trusted for one mailbox. "Trusted" means: named by the administrator, inside the mailbox's
/// own domain, or run by Microsoft for Exchange Online. A parent of the mailbox's domain is a stranger like
/// any other.
class Trust {
 public:
  /// `allowed`: "host", or ".suffix" for everything below it; case is ignored.
  Trust(std::string mailbox_domain, std::vector<std::string> allowed);

  bool host(std::string_view name) const;
  /// https and a trusted host. Errors: autodiscover "redirect-not-https", "redirect-not-allowed"; the message
  /// names the host that would have to be allowed.
  Result<void> url(const net::Url& target) const;
  /// An address redirect makes credentials travel to its domain's servers: the same rule.
  Result<void> address(const Address& target) const;
  /// After an address redirect that address() let pass: its two derived hosts are trusted too.
  void adopt(const Address& target);

 private:
  std::string domain_;
  std::vector<std::string> allowed_;
};

}  // namespace syncline::ews::autodiscover
