// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <unicode/ures.h>
#include <unicode/ustring.h>

#include <sstream>

#include "base/text.hpp"
#include "time/zone.hpp"
#include "time/zone_names.hpp"

namespace syncline::time {
namespace {

TEST(ZoneNames, every_row_of_cldrs_windows_zones_holds_both_ways) {
  UErrorCode status = U_ZERO_ERROR;
  UResourceBundle* bundle = ures_openDirect(nullptr, "windowsZones", &status);
  UResourceBundle* table = ures_getByKey(bundle, "mapTimezones", nullptr, &status);
  ASSERT_TRUE(U_SUCCESS(status));
  std::size_t rows = 0;
  UResourceBundle* row = nullptr;
  while (ures_hasNext(table) != 0) {
    row = ures_getNextResource(table, row, &status);
    const std::string windows = ures_getKey(row);
    UResourceBundle* region = nullptr;
    while (ures_hasNext(row) != 0) {
      region = ures_getNextResource(row, region, &status);
      std::int32_t length = 0;
      const UChar* text = ures_getString(region, &length, &status);
      ASSERT_TRUE(U_SUCCESS(status));
      const std::string names(text, text + length);
      std::istringstream list(names);
      std::string iana;
      for (bool first = true; list >> iana; first = false) {
        ++rows;
        EXPECT_EQ(iana_to_windows(iana), windows) << iana;
        if (first) {
          EXPECT_EQ(windows_to_iana(windows, ures_getKey(region)), iana);
        }
        EXPECT_TRUE(Zone::iana(iana)) << iana;
      }
    }
    ures_close(region);
    EXPECT_EQ(iana_to_windows(windows_to_iana(windows).value_or("")), windows);
  }
  ures_close(row);
  ures_close(table);
  ures_close(bundle);
  EXPECT_GE(windows_names().size(), 139U);
  EXPECT_GT(rows, 500U);
}

struct Oddity {
  const char* name;
  const char* iana;
  const char* windows;
  ZoneMatch::By by;
};

TEST(ZoneNames, oddities_seen_in_the_field_are_understood) {
  using By = ZoneMatch::By;
  for (const Oddity& oddity : std::vector<Oddity>{
           {"W. Europe Standard Time", "Europe/Berlin", "W. Europe Standard Time", By::windows_name},
           {" w. europe standard time ", "Europe/Berlin", "W. Europe Standard Time", By::windows_name},
           {"Europe/Vienna", "Europe/Vienna", "W. Europe Standard Time", By::iana_name},
           {"America/Winnipeg", "America/Winnipeg", "Central Standard Time", By::iana_name},
           {"US/Eastern", "US/Eastern", "Eastern Standard Time", By::iana_name},
           {"/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin", "W. Europe Standard Time",
            By::iana_name},
           {"tzone://Microsoft/Utc", "Etc/UTC", "UTC", By::iana_name},
           {"Z", "Etc/UTC", "UTC", By::iana_name},
           {"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin",
            "W. Europe Standard Time", By::display_name},
           {"(GMT+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", "Europe/Berlin",
            "W. Europe Standard Time", By::display_name},
           {"(UTC-05:00) Eastern Time (US & Canada)", "America/New_York", "Eastern Standard Time",
            By::display_name},
           {"Eastern Time (US & Canada)", "America/New_York", "Eastern Standard Time", By::display_name},
           {"(UTC) Coordinated Universal Time", "Etc/UTC", "UTC", By::display_name},
           {"(UTC+09:00) Seoul", "Asia/Seoul", "Korea Standard Time", By::display_name},
           {"Mitteleuropäische Zeit", "Europe/Berlin", "W. Europe Standard Time", By::localised_name},
           {"Hora estándar romance", "Europe/Paris", "Romance Standard Time", By::localised_name},
           {"中国标准时间", "Asia/Shanghai", "China Standard Time", By::localised_name},
           {"Kamchatka Standard Time", "Asia/Kamchatka", "Russia Time Zone 11", By::retired_name},
           {"America/Ciudad_Juarez", "America/Ciudad_Juarez", "Mountain Standard Time", By::iana_name},
           {"GMT -0500 (Standard) / GMT -0400 (Daylight)", "America/New_York", "Eastern Standard Time",
            By::offsets},
           {"GMT -0800 (Standard) / GMT -0700 (Daylight)", "America/Los_Angeles", "Pacific Standard Time",
            By::offsets},
           {"UTC+05:30", "Asia/Calcutta", "India Standard Time", By::offsets},
       }) {
    const ZoneMatch match = match_name(oddity.name);
    EXPECT_EQ(match.iana, oddity.iana) << oddity.name;
    EXPECT_EQ(match.windows, oddity.windows) << oddity.name;
    EXPECT_EQ(match.by, oddity.by) << oddity.name << ' ' << to_string(match.by);
  }
}

TEST(ZoneNames, names_that_mean_nothing_are_not_guessed) {
  for (const char* name :
       {"", "Customized Time Zone", "tzone://Microsoft/Custom", "Nowhere", "(UTC", "(UTC+99:00) Nowhere", "+",
        "GMT -0500 (Standard) /", "\xff\xfe", "(Nothing) Berlin", "Etc/Unknown"}) {
    EXPECT_FALSE(match_name(name).found()) << name << match_name(name).iana;
  }
  EXPECT_FALSE(match_name(std::string(100'000, 'a')).found());
  EXPECT_FALSE(match_name(std::string(200, '/')).found());
}

TEST(ZoneNames, zones_without_a_windows_name_have_none) {
  EXPECT_FALSE(iana_to_windows("Antarctica/Troll"));
  EXPECT_FALSE(iana_to_windows("Nowhere/At_All"));
  EXPECT_FALSE(windows_to_iana("Europe/Berlin"));
}

}  // namespace
}  // namespace syncline::time
