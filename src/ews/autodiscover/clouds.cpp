// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/autodiscover/clouds.hpp"

#include <array>

namespace syncline::ews::autodiscover {

namespace {

constexpr Cloud global{"global", "autodiscover-s.outlook.com", "outlook.office365.com"};
constexpr Cloud us_government{"us_government", "autodiscover-s.office365.us", "outlook.office365.us"};
constexpr Cloud us_defense{"us_defense", "autodiscover-s-dod.office365.us", "outlook-dod.office365.us"};
constexpr Cloud china{"china", "autodiscover-s.partner.outlook.cn", "partner.outlook.cn"};

struct Row {
  std::string_view name;  ///< a host; with a leading dot also everything below it
  const Cloud* cloud;
};

// More particular rows first. Only names under which no customer can put a server of his own.
constexpr std::array<Row, 15> hosts{{
    {"autodiscover-s-dod.office365.us", &us_defense},
    {"outlook-dod.office365.us", &us_defense},
    {"webmail.apps.mil", &us_defense},
    {"outlook.office365.us", &us_government},
    {"autodiscover-s.office365.us", &us_government},
    {"partner.outlook.cn", &china},
    {".partner.outlook.cn", &china},
    {"outlook.office365.com", &global},
    {"outlook.office.com", &global},
    {"outlook.cloud.microsoft", &global},
    {"autodiscover-s.outlook.com", &global},
    {"autodiscover.outlook.com", &global},
    {".onmicrosoft.us", &us_government},
    {".partner.onmschina.cn", &china},
    {".onmicrosoft.com", &global},
}};

constexpr std::array<Row, 3> domains{{
    {".onmicrosoft.com", &global},
    {".onmicrosoft.us", &us_government},
    {".partner.onmschina.cn", &china},
}};

template <std::size_t count>
const Cloud* find(const std::array<Row, count>& rows, std::string_view name) noexcept {
  for (const Row& row : rows) {
    if (row.name.starts_with('.') ? name.size() > row.name.size() && name.ends_with(row.name)
                                  : name == row.name) {
      return row.cloud;
    }
  }
  return nullptr;
}

}  // namespace

const Cloud* cloud_of_host(std::string_view host) noexcept {
  return find(hosts, host);
}
const Cloud* cloud_of_domain(std::string_view domain) noexcept {
  return find(domains, domain);
}

}  // namespace syncline::ews::autodiscover
