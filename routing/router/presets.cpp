// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/router/presets.hpp"

#include <array>
#include <string>

#include "base/text.hpp"

namespace syncline::router {
namespace {

using enum rules::Word;

constexpr PresetEndpoint tls(std::string_view host, std::uint16_t port) {
  return {host, port, TlsMode::implicit};
}
constexpr PresetEndpoint upgraded(std::string_view host, std::uint16_t port) {
  return {host, port, TlsMode::starttls};
}

constexpr std::array<std::string_view, 2> kGmail{"gmail.com", "googlemail.com"};
// Yahoo! JAPAN is a company and a mail system of its own.
constexpr std::array<std::string_view, 2> kYahooJapan{"yahoo.co.jp", "ymail.ne.jp"};
constexpr std::array<std::string_view, 3> kYahoo{"yahoo.*", "ymail.com", "rocketmail.com"};
constexpr std::array<std::string_view, 4> kOutlook{"outlook.*", "hotmail.*", "live.*", "msn.com"};
constexpr std::array<std::string_view, 3> kIcloud{"icloud.com", "me.com", "mac.com"};
constexpr std::array<std::string_view, 2> kAol{"aol.com", "aim.com"};
constexpr std::array<std::string_view, 2> kZoho{"zoho.com", "zohomail.com"};
constexpr std::array<std::string_view, 2> kZohoEurope{"zoho.eu", "zohomail.eu"};
constexpr std::array<std::string_view, 3> kGmxCom{"gmx.com", "gmx.us", "gmx.co.uk"};
constexpr std::array<std::string_view, 3> kGmxNet{"gmx.net", "gmx.de", "gmx.*"};
constexpr std::array<std::string_view, 3> kFastmail{"fastmail.com", "fastmail.fm", "messagingengine.com"};
constexpr std::array<std::string_view, 3> kYandex{"yandex.com", "yandex.*", "ya.ru"};

// In order: the first whose domain matches is taken, so exact domains stand before their families.
const std::array kPresets{
    Preset{"gmail", gmail, kGmail, tls("imap.gmail.com", 993), tls("pop.gmail.com", 995),
           upgraded("smtp.gmail.com", 587), true, true},
    Preset{"yahoo-japan", std::nullopt, kYahooJapan, tls("imap.mail.yahoo.co.jp", 993),
           tls("pop.mail.yahoo.co.jp", 995), tls("smtp.mail.yahoo.co.jp", 465), true},
    Preset{"yahoo", yahoo, kYahoo, tls("imap.mail.yahoo.com", 993), tls("pop.mail.yahoo.com", 995),
           upgraded("smtp.mail.yahoo.com", 587), true},
    Preset{"outlook.com", outlook_com, kOutlook, tls("outlook.office365.com", 993),
           tls("outlook.office365.com", 995), upgraded("smtp-mail.outlook.com", 587), false, true},
    Preset{"icloud", std::nullopt, kIcloud, tls("imap.mail.me.com", 993), std::nullopt,
           upgraded("smtp.mail.me.com", 587)},
    Preset{"aol", std::nullopt, kAol, tls("imap.aol.com", 993), tls("pop.aol.com", 995),
           tls("smtp.aol.com", 465), true},
    Preset{"zoho", std::nullopt, kZoho, tls("imap.zoho.com", 993), tls("pop.zoho.com", 995),
           tls("smtp.zoho.com", 465), true},
    Preset{"zoho-europe", std::nullopt, kZohoEurope, tls("imap.zoho.eu", 993), tls("pop.zoho.eu", 995),
           tls("smtp.zoho.eu", 465), true},
    Preset{"gmx.com", std::nullopt, kGmxCom, tls("imap.gmx.com", 993), tls("pop.gmx.com", 995),
           upgraded("mail.gmx.com", 587)},
    Preset{"gmx.net", std::nullopt, kGmxNet, tls("imap.gmx.net", 993), tls("pop.gmx.net", 995),
           upgraded("mail.gmx.net", 587), true},
    Preset{"fastmail", std::nullopt, kFastmail, tls("imap.fastmail.com", 993), tls("pop.fastmail.com", 995),
           tls("smtp.fastmail.com", 465), true},
    Preset{"yandex", std::nullopt, kYandex, tls("imap.yandex.com", 993), tls("pop.yandex.com", 995),
           tls("smtp.yandex.com", 465), true},
};

bool matches(std::string_view pattern, std::string_view domain) noexcept {
  if (!pattern.ends_with(".*")) return pattern == domain;
  return domain.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::string_view to_string(TlsMode mode) noexcept {
  switch (mode) {
    case TlsMode::implicit:
      return "implicit";
    case TlsMode::starttls:
      return "starttls";
    case TlsMode::none:
      return "none";
  }
  return {};
}

std::span<const Preset> presets() noexcept {
  return kPresets;
}

const Preset* preset_for(std::string_view address, rules::Word lives_on) noexcept {
  const auto at = address.rfind('@');
  if (at != std::string_view::npos) {
    const std::string domain = text::to_lower_ascii(address.substr(at + 1));
    for (const Preset& preset : kPresets) {
      for (const std::string_view pattern : preset.domains) {
        if (matches(pattern, domain)) return &preset;
      }
    }
  }
  if (lives_on == msn || lives_on == windows_live) lives_on = outlook_com;
  for (const Preset& preset : kPresets) {
    if (preset.lives_on == lives_on) return &preset;
  }
  return nullptr;
}

std::optional<PresetEndpoint> endpoint(const Preset& preset, rules::Word protocol,
                                       rules::Word cloud) noexcept {
  if (protocol == imap) return preset.imap;
  if (protocol == pop3) return preset.pop3;
  if (protocol != smtp) return std::nullopt;
  if (cloud == usgov && preset.smtp && preset.smtp_also_on_465) return tls(preset.smtp->host, 465);
  return preset.smtp;
}

std::string_view exchange_online_ews(rules::Word cloud) noexcept {
  return cloud == usgov ? "https://outlook.office365.us/EWS/Exchange.asmx"
                        : "https://outlook.office365.com/EWS/Exchange.asmx";
}

}  // namespace syncline::router
