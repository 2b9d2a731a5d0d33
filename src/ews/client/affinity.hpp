// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A group of subscriptions must stay on one back-end server: the group's first mailbox is the anchor of all
// its requests, and the cookie that the first answer sets goes with every later one.
#include <string>
#include <string_view>

#include "net/http_message.hpp"

namespace syncline::ews {

struct Affinity {
  std::string anchor_mailbox;
  std::string cookie = {};  ///< "X-BackEndOverrideCookie=…"; empty before the first answer

  /// X-AnchorMailbox, X-PreferServerAffinity, Cookie.
  void add_to(net::Headers& headers) const;
  void learn_from(const net::Headers& headers);
};

}  // namespace syncline::ews
