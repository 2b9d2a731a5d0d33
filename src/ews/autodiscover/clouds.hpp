// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Host names that Microsoft runs for Exchange Online, cloud by cloud. docs/protocol-notes/autodiscover.md has
// sources.
#include <string_view>

namespace syncline::ews::autodiscover {

struct Cloud {
  std::string_view name;               ///< as in MailboxFacts::cloud
  std::string_view autodiscover_host;  ///< answers for every mailbox of the cloud
  std::string_view ews_host;
};

/// The cloud that serves this host (lower case); null: none of Microsoft's.
const Cloud* cloud_of_host(std::string_view host) noexcept;
/// The cloud whose tenants have addresses in this domain (lower case): contoso.onmicrosoft.com; null: none.
const Cloud* cloud_of_domain(std::string_view domain) noexcept;

}  // namespace syncline::ews::autodiscover
