// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/part_scanner.hpp"

#include <algorithm>
#include <cstring>

#include "base/text.hpp"

namespace syncline::mime {
namespace {

/// RFC 2046 section 5.1.1 allows 70 characters of boundary; some senders need more.
constexpr std::size_t delimiter_octets_limit = 512;
/// Lines are held back so long to find out whether they are a header after a line that is none.
constexpr std::size_t doubt_octets_limit = 16'384;
/// A header has so many lines of rubbish at most.
constexpr int stray_lines_limit = 3;
/// So much is looked at for the kind of line ends.
constexpr std::size_t sniff_octets = 65'536;

bool is_known_field(std::string_view line) {
  static constexpr std::string_view known[] = {
      "from",         "to",          "subject",  "date",         "message-id",   "received",
      "mime-version", "return-path", "reply-to", "content-type", "delivered-to", "content-transfer-encoding"};
  std::string_view name = line.substr(0, line.find(':'));
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  return std::any_of(std::begin(known), std::end(known),
                     [&](std::string_view one) { return text::equals_ignore_case(name, one); });
}

struct Line {
  std::string_view text;
  std::string_view end;
};
/// `whole`: up to and with its LF, if it has one.
Line split_end(std::string_view whole) {
  std::size_t length = whole.size();
  if (length > 0 && whole[length - 1] == '\n') --length;
  if (length > 0 && length < whole.size() && whole[length - 1] == '\r') --length;
  return {whole.substr(0, length), whole.substr(length)};
}

/// Whether lines from one on that is no header field are a header all the same, with rubbish in it: a status
/// line of the protocol in front, a folded line that lost its blank.
bool is_header_with_rubbish(std::string_view lines) {
  int stray = 0;
  bool is_known = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const Line line = split_end(lines.substr(0, end == std::string_view::npos ? end : end + 1));
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    switch (header_line_kind(line.text)) {
      case HeaderLine::other:
        if (++stray > stray_lines_limit) return false;
        break;
      case HeaderLine::field:
        is_known = is_known || is_known_field(line.text);
        break;
      case HeaderLine::continuation:
      case HeaderLine::blank:
        break;
    }
  }
  return is_known;
}

/// The "From " line of an mbox, which is in front of a header, and its quoted form.
bool is_mbox_line(std::string_view line) {
  return line.starts_with("From ") || line.starts_with(">From ");
}

}  // namespace

PartScanner::PartScanner(const Limits& limits, PartEvents& events)
    : limits_(limits), events_(events), header_(limits) {}

std::string PartScanner::with_lf(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  for (const char c : octets) {
    if (c == '\r') {
      out.push_back('\n');
    } else if (c != '\n' || !cr_before_) {
      out.push_back(c);
    }
    cr_before_ = c == '\r';
  }
  return out;
}

Result<void> PartScanner::feed(std::string_view octets) {
  if (state_ == State::sniffing) {
    // The first line end decides; until it is there the octets wait.
    line_.append(octets);
    const bool has_lf = line_.find('\n') != std::string::npos;
    if (!has_lf && line_.size() < sniff_octets) return {};
    cr_lines_ = !has_lf && line_.find('\r') != std::string::npos;
    if (cr_lines_) defects_.add(Defect::bare_cr);
    state_ = State::header;
    const std::string first = std::move(line_);
    line_.clear();
    return feed(first);
  }
  if (cr_lines_) return run(with_lf(octets));
  return run(octets);
}

Result<void> PartScanner::run(std::string_view octets) {
  for (;;) {
    if (!replays_.empty()) {
      // A step may add a replay, so no reference is kept over it; the text itself is moved out for that time.
      std::string text = std::move(replays_.back().octets);
      const std::size_t at = replays_.back().at;
      const std::size_t index = replays_.size() - 1;
      if (at == text.size()) {
        replays_.pop_back();
        continue;
      }
      auto used = step(std::string_view(text).substr(at));
      if (!used) return fail(std::move(used.error()));
      replays_[index].octets = std::move(text);
      replays_[index].at = at + *used;
      continue;
    }
    if (octets.empty()) return {};
    auto used = step(octets);
    if (!used) return fail(std::move(used.error()));
    octets.remove_prefix(*used);
  }
}

Result<std::size_t> PartScanner::step(std::string_view octets) {
  return state_ == State::header ? step_header(octets) : step_content(octets);
}

Result<std::size_t> PartScanner::step_header(std::string_view octets) {
  const std::size_t end = octets.find('\n');
  const std::size_t length = end == std::string_view::npos ? octets.size() : end + 1;
  const std::string_view piece = octets.substr(0, length);

  if (line_is_long_) {
    if (end != std::string_view::npos) {
      line_is_long_ = false;
      const std::string line = std::move(line_);
      line_.clear();
      if (auto taken = header_line(line, "\n"); !taken) return fail(std::move(taken.error()));
    }
    return length;
  }
  if (end == std::string_view::npos || !line_.empty()) {
    line_.append(piece);
    if (end == std::string_view::npos) {
      const HeaderLine kind = header_line_kind(line_);
      const bool is_ours = kind == HeaderLine::field || kind == HeaderLine::continuation;
      if (is_ours && doubt_.empty()) {
        // Its octets beyond the limit are dropped as they come.
        if (line_.size() > limits_.header_octets) {
          defects_.add(Defect::header_too_large);
          line_is_long_ = true;
        }
      } else if (doubt_.size() + line_.size() > doubt_octets_limit) {
        doubt_.append(line_);
        line_.clear();
        if (auto done = doubt_was_body(); !done) return fail(std::move(done.error()));
      }
      return length;
    }
    const std::string whole = std::move(line_);
    line_.clear();
    const Line line = split_end(whole);
    if (auto taken = header_line(line.text, line.end); !taken) return fail(std::move(taken.error()));
    return length;
  }
  const Line line = split_end(piece);
  if (auto taken = header_line(line.text, line.end); !taken) return fail(std::move(taken.error()));
  return length;
}

Result<void> PartScanner::header_line(std::string_view line, std::string_view line_end) {
  if (const auto delimiter = delimiter_of(line)) {
    // The part has no body, perhaps not even a header.
    if (!doubt_.empty()) {
      doubt_.append(line).append(line_end);
      return doubt_was_body();
    }
    if (auto ended = end_header(); !ended) return ended;
    return take_delimiter(delimiter->level, delimiter->is_closing);
  }
  HeaderLine kind = header_line_kind(line);
  // Nothing is there to be continued: blanks alone end an empty header, text is text.
  if (kind == HeaderLine::continuation && header_.empty() && doubt_.empty())
    kind = text::trim(line).empty() ? HeaderLine::blank : HeaderLine::other;
  if (!doubt_.empty()) {
    if (kind != HeaderLine::blank) {
      doubt_.append(line).append(line_end);
      if (doubt_.size() > doubt_octets_limit) return doubt_was_body();
      return {};
    }
    if (!is_header_with_rubbish(doubt_)) {
      doubt_.append(line).append(line_end);
      return doubt_was_body();
    }
    defects_.add(Defect::bad_header_line);
    HeaderLine before = HeaderLine::other;
    std::string_view lines = doubt_;
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      const Line one = split_end(lines.substr(0, end == std::string_view::npos ? end : end + 1));
      lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
      const HeaderLine one_kind = header_line_kind(one.text);
      // What continues rubbish is rubbish.
      if (one_kind == HeaderLine::continuation && before == HeaderLine::other) continue;
      before = one_kind;
      header_.add_line(one.text);
    }
    doubt_.clear();
    return end_header();
  }
  switch (kind) {
    case HeaderLine::field:
    case HeaderLine::continuation:
      header_.add_line(line);
      return {};
    case HeaderLine::blank:
      return end_header();
    case HeaderLine::other:
      if (open_.empty() && header_.empty() && is_mbox_line(line)) return {};
      doubt_.append(line).append(line_end);
      if (doubt_.size() > doubt_octets_limit) return doubt_was_body();
      return {};
  }
  return {};
}

Result<void> PartScanner::doubt_was_body() {
  // A part may have no header at all, a message should.
  if (!header_.empty()) defects_.add(Defect::missing_separator);
  replays_.push_back({std::move(doubt_), 0});
  doubt_.clear();
  return end_header();
}

Result<void> PartScanner::end_header() {
  if (open_.empty() && header_.empty()) defects_.add(Defect::no_headers);
  defects_.add(header_.defects());
  HeaderBlock header = std::move(header_);
  header_ = HeaderBlock(limits_);
  line_.clear();
  state_ = State::content;
  at_line_start_ = true;
  held_line_end_ = {};
  if (parts_ > limits_.parts) {
    in_leaf_ = false;
    return {};
  }
  auto plan = events_.on_header(std::move(header));
  if (!plan) return fail(std::move(plan.error()));
  in_leaf_ = !plan->boundary;
  if (plan->boundary) open_.push_back(*std::move(plan->boundary));
  return {};
}

void PartScanner::start_part() {
  state_ = State::header;
  line_.clear();
  line_is_long_ = false;
  if (++parts_ > limits_.parts) defects_.add(Defect::too_many_parts);
}

std::optional<PartScanner::Delimiter> PartScanner::delimiter_of(std::string_view line) const {
  if (open_.empty() || !line.starts_with("--") || line.size() > delimiter_octets_limit) return std::nullopt;
  line.remove_prefix(2);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
    line.remove_suffix(1);
  for (std::size_t level = open_.size(); level-- > 0;) {
    const std::string& boundary = open_[level];
    if (!line.starts_with(boundary)) continue;
    const std::string_view rest = line.substr(boundary.size());
    if (rest.empty()) return Delimiter{level, false};
    if (rest == "--") return Delimiter{level, true};
  }
  return std::nullopt;
}

Result<void> PartScanner::take_delimiter(std::size_t level, bool is_closing) {
  held_line_end_ = {};
  at_line_start_ = true;
  if (in_leaf_) {
    in_leaf_ = false;
    if (auto ended = events_.on_leaf_end(); !ended) return ended;
  }
  // An outer delimiter ends what is open inside (RFC 2046 section 5.1.2).
  while (open_.size() > level + 1) {
    defects_.add(Defect::unfinished_multipart);
    open_.pop_back();
    if (auto ended = events_.on_multipart_end(); !ended) return ended;
  }
  if (is_closing) {
    open_.pop_back();
    return events_.on_multipart_end();
  }
  start_part();
  return {};
}

Result<void> PartScanner::emit(std::string_view octets) {
  if (!in_leaf_ || octets.empty()) return {};
  return events_.on_content(octets);
}

Result<void> PartScanner::emit_held_line_end() {
  const std::string_view held = held_line_end_;
  held_line_end_ = {};
  return emit(held);
}

Result<std::size_t> PartScanner::step_content(std::string_view octets) {
  if (open_.empty()) {
    // No delimiter can come any more: the message is one leaf, or its last multipart is closed.
    if (auto done = emit(octets); !done) return fail(std::move(done.error()));
    return octets.size();
  }
  if (at_line_start_) {
    const std::size_t end = octets.find('\n');
    const std::size_t length = end == std::string_view::npos ? octets.size() : end + 1;
    const std::string_view piece = octets.substr(0, length);
    const std::size_t dashes = std::min<std::size_t>(2, line_.size() + piece.size());
    std::string start = line_.substr(0, 2);
    if (start.size() < dashes) start.append(piece.substr(0, dashes - start.size()));
    const bool may_be = std::string_view("--").starts_with(start) &&
                        line_.size() + piece.size() <= delimiter_octets_limit + 2;
    if (may_be) {
      line_.append(piece);
      if (end == std::string_view::npos) return length;
      const std::string whole = std::move(line_);
      line_.clear();
      const Line line = split_end(whole);
      if (const auto delimiter = delimiter_of(line.text)) {
        if (auto taken = take_delimiter(delimiter->level, delimiter->is_closing); !taken)
          return fail(std::move(taken.error()));
        return length;
      }
      if (auto done = emit_held_line_end(); !done) return fail(std::move(done.error()));
      if (auto done = emit(line.text); !done) return fail(std::move(done.error()));
      held_line_end_ = line.end.size() == 2 ? "\r\n" : "\n";
      return length;
    }
    if (auto done = emit_held_line_end(); !done) return fail(std::move(done.error()));
    const std::string held = std::move(line_);
    line_.clear();
    at_line_start_ = false;
    // It may end with a CR whose LF is the next octet; what is emitted later begins with it then.
    if (!held.empty() && held.back() == '\r') {
      if (auto done = emit(std::string_view(held).substr(0, held.size() - 1)); !done)
        return fail(std::move(done.error()));
      held_line_end_ = "\r";
    } else if (auto done = emit(held); !done) {
      return fail(std::move(done.error()));
    }
    return 0;
  }
  if (held_line_end_ == "\r") {
    if (octets[0] == '\n') {
      held_line_end_ = "\r\n";
      at_line_start_ = true;
      return 1;
    }
    if (auto done = emit_held_line_end(); !done) return fail(std::move(done.error()));
  }
  // As far as no line begins with a dash, in one piece.
  std::size_t end = octets.find('\n');
  while (end != std::string_view::npos && end + 1 < octets.size() && octets[end + 1] != '-')
    end = octets.find('\n', end + 1);
  if (end == std::string_view::npos) {
    const bool ends_with_cr = octets.back() == '\r';
    if (auto done = emit(octets.substr(0, octets.size() - (ends_with_cr ? 1 : 0))); !done)
      return fail(std::move(done.error()));
    if (ends_with_cr) held_line_end_ = "\r";
    return octets.size();
  }
  const Line line = split_end(octets.substr(0, end + 1));
  if (auto done = emit(line.text); !done) return fail(std::move(done.error()));
  held_line_end_ = line.end.size() == 2 ? "\r\n" : "\n";
  at_line_start_ = true;
  return end + 1;
}

Result<void> PartScanner::last_header_line() {
  if (!line_.empty()) {
    line_is_long_ = false;
    const std::string last = std::move(line_);
    line_.clear();
    return header_line(split_end(last).text, {});
  }
  if (!doubt_.empty()) return doubt_was_body();
  // Cut off right behind a delimiter: that is no part.
  if (!open_.empty() && header_.empty()) {
    state_ = State::content;
    return {};
  }
  return end_header();
}

Result<void> PartScanner::last_content_line() {
  const std::string last = std::move(line_);
  line_.clear();
  if (const auto delimiter = delimiter_of(last))
    return take_delimiter(delimiter->level, delimiter->is_closing);
  at_line_start_ = false;
  if (auto done = emit_held_line_end(); !done) return done;
  return emit(last);
}

Result<void> PartScanner::finish() {
  if (state_ == State::sniffing) {
    cr_lines_ = line_.find('\r') != std::string::npos && line_.find('\n') == std::string::npos;
    if (cr_lines_) defects_.add(Defect::bare_cr);
    state_ = State::header;
    const std::string first = std::move(line_);
    line_.clear();
    if (auto fed = feed(first); !fed) return fed;
  }
  // What was held back may be a delimiter or have to be read again, with more to hold back: each turn leaves
  // less of it.
  while (state_ == State::header || !line_.empty()) {
    auto done = state_ == State::header ? last_header_line() : last_content_line();
    if (!done) return done;
    if (done = run({}); !done) return done;
  }
  if (auto done = emit_held_line_end(); !done) return done;
  if (in_leaf_) {
    in_leaf_ = false;
    if (auto ended = events_.on_leaf_end(); !ended) return ended;
  }
  while (!open_.empty()) {
    defects_.add(Defect::unfinished_multipart);
    open_.pop_back();
    if (auto ended = events_.on_multipart_end(); !ended) return ended;
  }
  return {};
}

}  // namespace syncline::mime
