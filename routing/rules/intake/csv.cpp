// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace syncline::rules {
namespace {

constexpr std::size_t kBufferOctets = std::size_t{1} << 16U;

}  // namespace

CsvReader::CsvReader(std::istream& input, Limits limits)
    : input_(input), limits_(limits), buffer_(kBufferOctets) {
  fill();
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (std::string_view{buffer_.data(), filled_}.starts_with(kMark)) position_ = kMark.size();
}

bool CsvReader::fill() {
  input_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  filled_ = static_cast<std::size_t>(input_.gcount());
  position_ = 0;
  return filled_ > 0;
}

int CsvReader::peek() {
  if (position_ == filled_ && !fill()) return -1;
  return static_cast<unsigned char>(buffer_[position_]);
}

char CsvReader::choose_separator() {
  constexpr std::string_view kCandidates = ",;\t";
  std::size_t counts[3] = {0, 0, 0};
  bool in_quotes = false;
  // A header longer than the buffer is beyond the limit of columns anyway.
  for (std::size_t i = position_; i < filled_; ++i) {
    const char c = buffer_[i];
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    if (c == '\n' || c == '\r') break;
    const auto at = kCandidates.find(c);
    if (at != std::string_view::npos) ++counts[at];
  }
  separator_ = kCandidates[static_cast<std::size_t>(std::max_element(counts, counts + 3) - counts)];
  return separator_;
}

void CsvReader::skip_preamble() {
  for (;;) {
    if (position_ == filled_ && !fill()) return;
    const std::string_view ahead{buffer_.data() + position_, filled_ - position_};
    if (!ahead.starts_with("#TYPE") && !ahead.starts_with("\"#TYPE") && !ahead.starts_with("sep=")) return;
    skip_to_line_end();
  }
}

void CsvReader::append(const char* from, std::size_t count) {
  const std::size_t begin = ends_.empty() ? 0 : ends_.back();
  if (bytes_.size() - begin + count > limits_.cell_octets) {
    cell_too_long_ = true;
    return;
  }
  bytes_.append(from, count);
}

void CsvReader::close_cell() {
  ends_.push_back(bytes_.size());
}

void CsvReader::take_line_end() {
  if (peek() == '\r') {
    ++position_;
    if (peek() == '\n') ++position_;
  } else {
    ++position_;
  }
  ++line_;
}

void CsvReader::skip_to_line_end() {
  for (int c = peek(); c != -1 && c != '\n' && c != '\r'; c = peek()) ++position_;
  if (peek() != -1) take_line_end();
}

void CsvReader::take_plain() {
  for (;;) {
    if (position_ == filled_ && !fill()) return;
    const char* begin = buffer_.data() + position_;
    const char* end = buffer_.data() + filled_;
    const char* at = begin;
    while (at != end && *at != separator_ && *at != '\n' && *at != '\r' && *at != '"') ++at;
    append(begin, static_cast<std::size_t>(at - begin));
    position_ += static_cast<std::size_t>(at - begin);
    if (at != end) return;
  }
}

std::optional<CsvReader::Problem> CsvReader::cell_problem(std::string reason, bool fatal) const {
  return Problem{cell_line_, ends_.size(), std::move(reason), fatal};
}

std::optional<CsvReader::Problem> CsvReader::take_quoted() {
  ++position_;
  for (;;) {
    if (position_ == filled_ && !fill()) {
      return cell_problem("the quoted cell that begins here is never closed", true);
    }
    const char* begin = buffer_.data() + position_;
    const std::size_t rest = filled_ - position_;
    const auto* quote = static_cast<const char*>(std::memchr(begin, '"', rest));
    const std::size_t plain = quote == nullptr ? rest : static_cast<std::size_t>(quote - begin);
    line_ += static_cast<std::uint64_t>(std::count(begin, begin + plain, '\n'));
    append(begin, plain);
    position_ += plain;
    if (quote == nullptr) continue;
    ++position_;
    if (peek() != '"') return std::nullopt;
    append("\"", 1);
    ++position_;
  }
}

expected<bool, CsvReader::Problem> CsvReader::next() {
  while (peek() == '\n' || peek() == '\r') take_line_end();
  if (peek() == -1) return false;
  bytes_.clear();
  ends_.clear();
  record_line_ = line_;
  std::optional<Problem> first;
  const auto note = [&](std::optional<Problem> problem) {
    if (!first) first = std::move(problem);
  };
  for (;;) {
    cell_line_ = line_;
    cell_too_long_ = false;
    if (ends_.size() >= limits_.columns) {
      note(cell_problem(fmt::format("more than {} columns", limits_.columns)));
      skip_to_line_end();
      break;
    }
    if (peek() == '"') {
      if (auto problem = take_quoted()) return unexpected<Problem>{std::move(*problem)};
    } else {
      take_plain();
    }
    if (cell_too_long_) note(cell_problem(fmt::format("a cell of more than {} octets", limits_.cell_octets)));
    const int after = peek();
    if (after == '"' || (after != -1 && after != separator_ && after != '\n' && after != '\r')) {
      note(cell_problem(after == '"' ? "a quote inside a cell that is not quoted"
                                     : "text after the closing quote of a cell"));
      skip_to_line_end();
      break;
    }
    close_cell();
    if (after == separator_) {
      ++position_;
      continue;
    }
    if (after != -1) take_line_end();
    break;
  }
  if (first) return unexpected<Problem>{std::move(*first)};
  return true;
}

}  // namespace syncline::rules
