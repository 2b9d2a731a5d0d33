// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/router/presets.hpp"

#include <gtest/gtest.h>

#include <set>

namespace syncline::router::testing {
namespace {

using enum rules::Word;

std::string_view name_for(std::string_view address, rules::Word lives_on = other) {
  const Preset* preset = preset_for(address, lives_on);
  return preset == nullptr ? std::string_view{} : preset->name;
}

TEST(Presets, AreChosenByTheDomainOfTheAddressBeforeTheHost) {
  EXPECT_EQ(name_for("a@gmail.com"), "gmail");
  EXPECT_EQ(name_for("a@YAHOO.it"), "yahoo");
  EXPECT_EQ(name_for("a@yahoo.co.jp", yahoo), "yahoo-japan") << "another company's servers";
  EXPECT_EQ(name_for("a@gmx.de"), "gmx.net");
  EXPECT_EQ(name_for("a@gmx.com"), "gmx.com");
  EXPECT_EQ(name_for("a@icloud.com"), "icloud");
  EXPECT_EQ(name_for("a@contoso.example"), "");
  EXPECT_EQ(name_for("a@notgmail.com"), "");
  EXPECT_EQ(name_for("a@yahooo.com"), "");
}

TEST(Presets, FollowTheHostForDomainsOfTheirOwn) {
  EXPECT_EQ(name_for("ana@contoso.example", gmail), "gmail");
  EXPECT_EQ(name_for("ana@contoso.example", windows_live), "outlook.com");
  EXPECT_EQ(name_for("", yahoo), "yahoo");
}

TEST(Presets, DifferByCloud) {
  const Preset& google = *preset_for("", gmail);
  EXPECT_EQ(endpoint(google, smtp, public_)->port, 587);
  EXPECT_EQ(endpoint(google, smtp, public_)->tls, TlsMode::starttls);
  EXPECT_EQ(endpoint(google, smtp, usgov)->port, 465);
  EXPECT_EQ(endpoint(google, smtp, usgov)->tls, TlsMode::implicit);
  EXPECT_EQ(endpoint(*preset_for("", outlook_com), smtp, usgov)->port, 587) << "it does not listen on 465";
  EXPECT_NE(exchange_online_ews(public_), exchange_online_ews(usgov));
}

TEST(Presets, AreConsistent) {
  std::set<std::string_view> names;
  for (const Preset& preset : presets()) {
    EXPECT_TRUE(names.insert(preset.name).second);
    for (const auto& [incoming, port] : {std::pair{preset.imap, 993}, std::pair{preset.pop3, 995}}) {
      if (!incoming) continue;
      EXPECT_EQ(incoming->port, port) << preset.name;
      EXPECT_EQ(incoming->tls, TlsMode::implicit) << preset.name;
    }
    ASSERT_TRUE(preset.smtp.has_value());
    EXPECT_EQ(preset.smtp->tls, preset.smtp->port == 465 ? TlsMode::implicit : TlsMode::starttls)
        << preset.name;
  }
  EXPECT_FALSE(endpoint(*preset_for("a@icloud.com", other), pop3, public_).has_value());
}

}  // namespace
}  // namespace syncline::router::testing
