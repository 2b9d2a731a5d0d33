// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/affinity.hpp"

#include "base/text.hpp"

namespace syncline::ews {

void Affinity::add_to(net::Headers& headers) const {
  headers.set("X-AnchorMailbox", anchor_mailbox);
  headers.set("X-PreferServerAffinity", "true");
  if (!cookie.empty()) headers.set("Cookie", cookie);
}

void Affinity::learn_from(const net::Headers& headers) {
  for (const std::string_view field : headers.find_all("Set-Cookie")) {
    const std::string_view pair = text::trim(field.substr(0, field.find(';')));
    if (text::equals_ignore_case(pair.substr(0, pair.find('=')), "X-BackEndOverrideCookie")) cookie = pair;
  }
}

}  // namespace syncline::ews
