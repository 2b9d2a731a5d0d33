// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// xs:dateTime, xs:date and xs:duration as EWS servers write them, good or bad. Nothing here throws or
// refuses: what cannot be read is kept as its text with `valid()` false. Years 0001 (unset), 1601 and 4501
// (Exchange's "none") are ordinary values.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::ews {

/// A point in time, or what a clock on a wall shows when the text names no zone.
class DateTime {
 public:
  enum class Form {
    instant,     ///< the text had "Z" or an offset
    wall_clock,  ///< no zone: its meaning depends on a zone that stands elsewhere
    invalid,
  };

  DateTime() = default;
  /// Milliseconds since 1970-01-01T00:00:00Z.
  static DateTime at(std::int64_t unix_ms);
  /// Milliseconds from 1970-01-01T00:00:00 to that reading of the clock, as if it never changed.
  static DateTime wall_clock(std::int64_t local_ms);
  /// Reads "2024-05-06T07:08:09.123+02:00" and what servers make of it: no zone, no seconds, a date alone
  /// ("2024-05-06Z"), white space around it. Never fails; see valid().
  static DateTime parse(std::string_view text);

  Form form() const noexcept { return form_; }
  bool valid() const noexcept { return form_ != Form::invalid; }
  /// Set for instants only.
  std::optional<std::int64_t> unix_ms() const noexcept;
  /// Set for wall-clock readings only.
  std::optional<std::int64_t> wall_clock_ms() const noexcept;
  /// What the server wrote, or what we write.
  const std::string& text() const noexcept { return text_; }

  /// Instants by the instant, wall clocks by their reading, invalid ones by their text.
  friend bool operator==(const DateTime& a, const DateTime& b) {
    return a.form_ == b.form_ && (a.form_ == Form::invalid ? a.text_ == b.text_ : a.ms_ == b.ms_);
  }

 private:
  Form form_ = Form::invalid;
  std::int64_t ms_ = 0;
  std::string text_;
};

/// xs:date; EWS adds a zone at will ("2024-05-06Z", "2024-05-06+02:00"), which is passed over.
struct Date {
  int year = 0;
  unsigned month = 0;  ///< 1 to 12; 0: not a date
  unsigned day = 0;
  std::string text = {};  ///< as the server wrote it; empty for one of ours

  static Date of(int year, unsigned month, unsigned day);
  static Date parse(std::string_view text);
  bool valid() const noexcept { return month != 0; }
  /// "YYYY-MM-DD", no zone.
  std::string to_xml() const;
  friend bool operator==(const Date& a, const Date& b) {
    return a.year == b.year && a.month == b.month && a.day == b.day && (a.valid() || a.text == b.text);
  }
};

/// xs:duration of days to seconds ("-PT60M", "PT5H30M"): offsets and biases of time zones.
struct Duration {
  std::optional<std::int64_t> seconds = std::nullopt;  ///< nullopt: could not be read
  std::string text = {};                               ///< kept, and written back unchanged when not empty

  static Duration of_seconds(std::int64_t seconds);
  static Duration parse(std::string_view text);
  std::string to_xml() const;
  friend bool operator==(const Duration& a, const Duration& b) {
    return a.seconds == b.seconds && (a.seconds || a.text == b.text);
  }
};

}  // namespace syncline::ews
