// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Names of zones: Windows ↔ IANA by CLDR (ICU), a table of retired and newer names, and what servers and
// clients write instead of a name. Names only: rules are zone.hpp's.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::time {

/// CLDR's zone for a Windows name (case as Windows has it or not), in `region` ("CA") where CLDR knows better
/// than the worldwide default.
std::optional<std::string> windows_to_iana(std::string_view windows, std::string_view region = "001");
/// nullopt where Windows has no such zone (Antarctica/Troll): then a definition is sent.
std::optional<std::string> iana_to_windows(std::string_view iana);
/// "W. Europe Standard Time" for any spelling of it; nullopt if Windows has no such name.
std::optional<std::string> canonical_windows(std::string_view windows);
/// tzdata's spelling for a name in any case; the text itself where it is no known name.
std::string canonical_case(std::string_view iana);
/// Every Windows name of CLDR, sorted.
const std::vector<std::string>& windows_names();
/// Every zone name ICU knows, links too, sorted.
const std::vector<std::string>& iana_names();

struct ZoneMatch {
  enum class By {
    none,  ///< nothing fits: the definition is all there is
    windows_name,
    iana_name,       ///< also behind a vendor's prefix
    retired_name,    ///< a Windows name that is no more
    display_name,    ///< "(UTC+01:00) Amsterdam, Berlin, …"
    localised_name,  ///< "Mitteleuropäische Zeit"
    rules,           ///< by the definition's changes
    offsets,         ///< by one or two offsets alone
  };
  By by = By::none;
  std::string iana;
  std::string windows;  ///< empty: there is none
  bool exact = true;    ///< false: one of several that fit

  bool found() const { return by != By::none; }
};
std::string_view to_string(ZoneMatch::By by);

/// What a name of any kind means. Localised names are looked up in the languages of ICU that Windows is sold
/// in. "Customized Time Zone", "tzone://Microsoft/Custom" and the empty name mean nothing.
ZoneMatch match_name(std::string_view name);

}  // namespace syncline::time
