// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/zone_names.hpp"

#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/tzfmt.h>
#include <unicode/ures.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.hpp"
#include "time/civil.hpp"
#include "time/zone_match.hpp"
#include "time/zone_tables.hpp"

namespace syncline::time {
namespace {

constexpr std::size_t name_limit_octets = 256;

std::string to_utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}
icu::UnicodeString from_utf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

bool less_ignore_case(const std::string& a, const std::string& b) {
  return text::to_lower_ascii(a) < text::to_lower_ascii(b);
}

std::optional<std::string> find_ignore_case(const std::vector<std::string>& sorted, std::string_view name) {
  const std::string wanted(name);
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), wanted, less_ignore_case);
  if (found == sorted.end() || !text::equals_ignore_case(*found, name)) return std::nullopt;
  return *found;
}

template <std::size_t N>
std::optional<std::string_view> in_table(const std::array<NamePair, N>& table, std::string_view name) {
  for (const NamePair& pair : table) {
    if (text::equals_ignore_case(pair.name, name)) return pair.zone;
  }
  return std::nullopt;
}

ZoneMatch from_windows(std::string_view windows, ZoneMatch::By by, bool exact = true) {
  const auto name = canonical_windows(windows);
  const auto iana = name ? windows_to_iana(*name) : std::nullopt;
  if (!iana) {
    const auto retired = in_table(retired_windows, windows);
    if (!retired) return {};
    return {by, std::string(*retired), iana_to_windows(*retired).value_or(""), exact};
  }
  return {by, *iana, *name, exact};
}

bool is_iana(std::string_view name) {
  return find_ignore_case(iana_names(), name).has_value() || in_table(newer_iana, name).has_value();
}

ZoneMatch from_iana(std::string_view iana, ZoneMatch::By by, bool exact = true) {
  const std::string name = canonical_case(iana);
  return {by, name, iana_to_windows(name).value_or(""), exact};
}

/// "/mozilla.org/20050126_1/Europe/Berlin": the longest end that is a name.
ZoneMatch behind_prefix(std::string_view name) {
  for (unsigned i = 0; i < 8; ++i) {
    if (is_iana(name)) return from_iana(name, ZoneMatch::By::iana_name);
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) break;
    name.remove_prefix(slash + 1);
  }
  return {};
}

/// "+01:00", "-0500", "+1", at the front of `text`, which moves behind it.
std::optional<seconds> take_offset(std::string_view& text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const bool west = text.front() == '-';
  std::string digits;
  std::size_t i = 1;
  bool colon = false;
  for (; i < text.size() && digits.size() < 4; ++i) {
    if (text[i] == ':' && !colon && !digits.empty()) {
      colon = true;
      if (digits.size() == 1) digits.insert(0, "0");
    } else if (text[i] >= '0' && text[i] <= '9') {
      digits += text[i];
    } else {
      break;
    }
  }
  if (digits.empty() || digits.size() == 3) return std::nullopt;
  if (digits.size() == 1) digits.insert(0, "0");
  if (digits.size() == 2) digits += "00";
  const auto value = *text::parse_int(digits);
  if (value / 100 > 14 || value % 100 > 59) return std::nullopt;
  text.remove_prefix(i);
  const seconds offset = std::chrono::hours{value / 100} + std::chrono::minutes{value % 100};
  return west ? -offset : offset;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text::equals_ignore_case(text.substr(0, word.size()), word)) return false;
  text.remove_prefix(word.size());
  text = text::trim(text);
  return true;
}

/// "GMT -0500 (Standard) / GMT -0400 (Daylight)"
ZoneMatch two_offsets(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view first = text::trim(name.substr(0, slash));
  std::string_view second = text::trim(name.substr(slash + 1));
  if (!take_word(first, "GMT") && !take_word(first, "UTC")) return {};
  if (!take_word(second, "GMT") && !take_word(second, "UTC")) return {};
  const auto standard = take_offset(first);
  const auto daylight = take_offset(second);
  if (!standard || !daylight) return {};
  return match_offsets(*standard, *daylight);
}

/// The city names of a display name, against the last part of zones' names; the offset has to fit.
ZoneMatch by_cities(std::string_view cities, seconds offset) {
  for (const std::string_view item : text::split(cities, ',')) {
    std::string city(text::trim(item));
    std::replace(city.begin(), city.end(), ' ', '_');
    if (city.empty()) continue;
    for (const std::string& name : iana_names()) {
      const std::size_t slash = name.rfind('/');
      if (slash == std::string::npos ||
          !text::equals_ignore_case(std::string_view(name).substr(slash + 1), city))
        continue;
      const auto windows = iana_to_windows(name);
      if (windows && standard_offset_now(name) == offset)
        return from_windows(*windows, ZoneMatch::By::display_name);
    }
  }
  return {};
}

/// "(UTC+01:00) Amsterdam, Berlin, …", also with GMT, also without what is before the cities.
ZoneMatch display_name(std::string_view name) {
  if (const auto windows = in_table(display_names, name))
    return from_windows(*windows, ZoneMatch::By::display_name);
  if (name.front() != '(') return {};
  const std::size_t close = name.find(')');
  if (close == std::string_view::npos) return {};
  std::string_view inside = text::trim(name.substr(1, close - 1));
  const std::string_view rest = text::trim(name.substr(close + 1));
  if (!take_word(inside, "UTC") && !take_word(inside, "GMT")) return {};
  const auto offset = inside.empty() ? std::optional<seconds>(0) : take_offset(inside);
  if (!offset) return {};
  if (const auto windows = in_table(display_names, rest))
    return from_windows(*windows, ZoneMatch::By::display_name);
  if (const ZoneMatch match = by_cities(rest, *offset); match.found()) return match;
  return match_offsets(*offset, *offset);
}

/// "UTC+1", "GMT-05:00", "+0100"
ZoneMatch one_offset(std::string_view name) {
  if (!take_word(name, "UTC") && !take_word(name, "GMT") && name.front() != '+' && name.front() != '-')
    return {};
  const auto offset = take_offset(name);
  if (!offset || !name.empty()) return {};
  return match_offsets(*offset, *offset);
}

/// ICU's own names of zones in the languages most mail servers run in.
ZoneMatch localised(std::string_view name) {
  if (const auto windows = in_table(localised_windows, name))
    return from_windows(*windows, ZoneMatch::By::localised_name);
  static const std::array<const char*, 17> languages{"en_US", "de_DE", "fr_FR", "it_IT", "es_ES", "pt_BR",
                                                     "nl_NL", "ja_JP", "pl_PL", "ru_RU", "sv_SE", "da_DK",
                                                     "nb_NO", "fi_FI", "cs_CZ", "zh_CN", "tr_TR"};
  const icu::UnicodeString wanted = from_utf8(name);
  for (const char* language : languages) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::TimeZoneFormat> format(
        icu::TimeZoneFormat::createInstance(icu::Locale(language), status));
    if (U_FAILURE(status) || !format) continue;
    for (const auto style : {UTZFMT_STYLE_GENERIC_LONG, UTZFMT_STYLE_SPECIFIC_LONG}) {
      icu::ParsePosition position(0);
      UTimeZoneFormatTimeType type = UTZFMT_TIME_TYPE_UNKNOWN;
      const std::unique_ptr<icu::TimeZone> zone(format->parse(style, wanted, position, &type));
      if (!zone || position.getIndex() != wanted.length()) continue;
      icu::UnicodeString id;
      const std::string iana = to_utf8(zone->getID(id));
      if (is_iana(iana)) return from_iana(iana, ZoneMatch::By::localised_name);
    }
  }
  return {};
}

std::vector<std::string> load_windows_names() {
  std::vector<std::string> names;
  UErrorCode status = U_ZERO_ERROR;
  UResourceBundle* bundle = ures_openDirect(nullptr, "windowsZones", &status);
  UResourceBundle* table = ures_getByKey(bundle, "mapTimezones", nullptr, &status);
  if (U_SUCCESS(status)) {
    UResourceBundle* row = nullptr;
    while (ures_hasNext(table) != 0) {
      row = ures_getNextResource(table, row, &status);
      if (U_FAILURE(status)) break;
      names.emplace_back(ures_getKey(row));
    }
    ures_close(row);
  }
  ures_close(table);
  ures_close(bundle);
  std::sort(names.begin(), names.end(), less_ignore_case);
  return names;
}

std::vector<std::string> load_iana_names() {
  std::vector<std::string> names;
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::StringEnumeration> all(
      icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, status));
  if (U_SUCCESS(status) && all) {
    while (const icu::UnicodeString* name = all->snext(status)) {
      std::string utf8 = to_utf8(*name);
      if (utf8 != "Etc/Unknown") names.push_back(std::move(utf8));
    }
  }
  std::sort(names.begin(), names.end(), less_ignore_case);
  return names;
}

}  // namespace

const std::vector<std::string>& windows_names() {
  static const std::vector<std::string> names = load_windows_names();
  return names;
}

const std::vector<std::string>& iana_names() {
  static const std::vector<std::string> names = load_iana_names();
  return names;
}

std::optional<std::string> canonical_windows(std::string_view windows) {
  return find_ignore_case(windows_names(), windows);
}

std::string canonical_case(std::string_view iana) {
  if (auto name = find_ignore_case(iana_names(), iana)) return *name;
  for (const NamePair& pair : newer_iana) {
    if (text::equals_ignore_case(pair.name, iana)) return std::string(pair.name);
  }
  return std::string(iana);
}

std::optional<std::string> windows_to_iana(std::string_view windows, std::string_view region) {
  const auto name = canonical_windows(windows);
  if (!name) return std::nullopt;
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString id;
  icu::TimeZone::getIDForWindowsID(from_utf8(*name), std::string(region).c_str(), id, status);
  if (U_FAILURE(status) || id.isEmpty()) return std::nullopt;
  return to_utf8(id);
}

std::optional<std::string> iana_to_windows(std::string_view iana) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString id;
  icu::TimeZone::getWindowsID(from_utf8(canonical_case(iana)), id, status);
  if (U_SUCCESS(status) && !id.isEmpty()) return to_utf8(id);
  if (const auto newer = in_table(newer_iana, iana)) return std::string(*newer);
  return std::nullopt;
}

std::string_view to_string(ZoneMatch::By by) {
  switch (by) {
    case ZoneMatch::By::none:
      return "none";
    case ZoneMatch::By::windows_name:
      return "windowsName";
    case ZoneMatch::By::iana_name:
      return "ianaName";
    case ZoneMatch::By::retired_name:
      return "retiredName";
    case ZoneMatch::By::display_name:
      return "displayName";
    case ZoneMatch::By::localised_name:
      return "localisedName";
    case ZoneMatch::By::rules:
      return "rules";
    case ZoneMatch::By::offsets:
      return "offsets";
  }
  return "none";
}

ZoneMatch match_name(std::string_view given) {
  const std::string_view name = text::trim(given);
  if (name.empty() || name.size() > name_limit_octets || !text::is_valid_utf8(name)) return {};
  if (canonical_windows(name)) return from_windows(name, ZoneMatch::By::windows_name);
  if (is_iana(name)) return from_iana(name, ZoneMatch::By::iana_name);
  if (in_table(retired_windows, name)) return from_windows(name, ZoneMatch::By::retired_name);
  if (text::equals_ignore_case(name, "Z") || text::equals_ignore_case(name, "tzone://Microsoft/Utc")) {
    return {ZoneMatch::By::iana_name, "Etc/UTC", "UTC", true};
  }
  if (text::equals_ignore_case(name, "Customized Time Zone")) return {};
  if (text::equals_ignore_case(name.substr(0, 18), "tzone://Microsoft/"))
    return behind_prefix(name.substr(18));
  for (const auto try_form : {two_offsets, display_name, one_offset, behind_prefix, localised}) {
    if (ZoneMatch match = try_form(name); match.found()) return match;
  }
  return {};
}

}  // namespace syncline::time
