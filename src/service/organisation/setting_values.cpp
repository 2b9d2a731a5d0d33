// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/setting_values.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "time/civil.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

std::string shown(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() > 80) text = text.substr(0, 80) + "…";
  return text::escape_for_display(text);
}

/// "https://name:word@host/" hides a secret in a setting.
bool has_credentials(std::string_view text) noexcept {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view authority = text.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  return authority.find('@') != std::string_view::npos;
}

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t length) {
  if (at + length > text.size()) return std::nullopt;
  const std::string_view digits = text.substr(at, length);
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  return static_cast<int>(*text::parse_int(digits));
}

}  // namespace

std::optional<SystemTime> parse_setting_time(std::string_view text) {
  namespace chrono = std::chrono;
  const auto year = number_at(text, 0, 4);
  const auto month = number_at(text, 5, 2);
  const auto day = number_at(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1900) return std::nullopt;
  SystemTime time = chrono::sys_days(date);
  if (text.size() == 10) return time;
  const auto hour = number_at(text, 11, 2);
  const auto minute = number_at(text, 14, 2);
  const auto second = number_at(text, 17, 2);
  if (!hour || !minute || !second || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':' || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  time += chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second);
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == 1) return std::nullopt;
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  }
  if (rest == "Z") return time;
  const auto offset_hour = number_at(rest, 1, 2);
  const auto offset_minute = number_at(rest, 4, 2);
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !offset_hour ||
      !offset_minute || *offset_hour > 23 || *offset_minute > 59) {
    return std::nullopt;
  }
  const auto offset = chrono::hours(*offset_hour) + chrono::minutes(*offset_minute);
  return rest[0] == '+' ? time - offset : time + offset;
}

std::string print_setting_time(SystemTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  std::string text = time::format_utc(seconds);
  if (seconds == day) text.resize(text.find('T'));
  return text;
}

Wrong read_value(const json::value& value, std::string& into) {
  const auto* text = value.if_string();
  if (text == nullptr) return fmt::format("{} is not a text", shown(value));
  const std::string_view view(*text);
  if (view.empty()) return "the text is empty; leave the setting out instead";
  if (view.size() > setting_text_limit_octets)
    return fmt::format("the text is longer than {} octets", setting_text_limit_octets);
  if (!text::is_valid_utf8(view) || text::escape_for_display(view) != view)
    return "the text holds control characters";
  if (has_credentials(view)) return "a URL must hold no name or password; use syncline secret set";
  into = std::string(view);
  return std::nullopt;
}

Wrong read_value(const json::value& value, bool& into) {
  if (const auto* truth = value.if_bool()) {
    into = *truth;
    return std::nullopt;
  }
  if (const auto* text = value.if_string(); text != nullptr && (*text == "yes" || *text == "no")) {
    into = *text == "yes";
    return std::nullopt;
  }
  return fmt::format("{} is not true or false", shown(value));
}

Wrong read_value(const json::value& value, SystemTime& into) {
  if (const auto* text = value.if_string()) {
    if (const auto time = parse_setting_time(std::string_view(*text))) {
      into = *time;
      return std::nullopt;
    }
  }
  return fmt::format("{} is not a date, nor a time with an offset (2026-11-22, 2026-11-22T10:00:00Z)",
                     shown(value));
}

Wrong read_value(const json::value& value, std::vector<std::string>& into) {
  const auto* list = value.if_array();
  if (list == nullptr) return fmt::format("{} is not a list of texts", shown(value));
  if (list->size() > setting_list_limit)
    return fmt::format("the list has more than {} entries", setting_list_limit);
  std::vector<std::string> read;
  for (const json::value& entry : *list) {
    if (Wrong wrong = read_value(entry, read.emplace_back())) return wrong;
  }
  into = std::move(read);
  return std::nullopt;
}

Wrong read_integer(const json::value& value, std::int64_t least, std::int64_t most, std::int64_t& into) {
  if (!value.is_int64() && !value.is_uint64()) return fmt::format("{} is not a whole number", shown(value));
  const bool fits = value.is_int64() || value.get_uint64() <= static_cast<std::uint64_t>(most);
  const std::int64_t number = !fits              ? 0
                              : value.is_int64() ? value.get_int64()
                                                 : static_cast<std::int64_t>(value.get_uint64());
  if (!fits || number < least || number > most)
    return fmt::format("{} is not from {} to {}", shown(value), least, most);
  into = number;
  return std::nullopt;
}

std::string not_one_of(const json::value& value, const std::vector<std::string_view>& words) {
  return fmt::format("{} is not one of {}", shown(value), fmt::join(words, ", "));
}

json::value write_value(const std::vector<std::string>& value) {
  json::array list;
  for (const std::string& entry : value) list.emplace_back(entry);
  return list;
}

}  // namespace syncline::service
