// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/reply_reader.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "routing/imap/reply_parser.hpp"

namespace syncline::imap {
namespace {

/// The literal that a line without its end announces: "{123}", "{123+}", "~{123}".
struct Announced {
  std::size_t begin = 0;  ///< where the announcement stands
  std::uint64_t octets = 0;
  bool too_large = false;  ///< more digits than any size has
};

std::optional<Announced> announced_literal(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const std::size_t brace = line.rfind('{');
  if (brace == std::string_view::npos) return std::nullopt;
  std::string_view number = line.substr(brace + 1, line.size() - brace - 2);
  if (number.ends_with('+')) number.remove_suffix(1);
  if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  Announced announced{.begin = brace, .octets = 0, .too_large = false};
  if (brace > 0 && line[brace - 1] == '~') --announced.begin;
  if (const auto octets = parse_number(number))
    announced.octets = *octets;
  else
    announced.too_large = true;
  return announced;
}

unexpected<Error> too_large(std::string code, std::string message) {
  return fail(ErrorDomain::mail, std::move(code), std::move(message));
}

}  // namespace

Result<bool> ReplyReader::take_line(std::string_view& input) {
  const std::size_t feed = input.find('\n');
  const std::size_t take = feed == std::string_view::npos ? input.size() : feed + 1;
  if (take > limits_.line_octets - std::min(limits_.line_octets, tokens_.text().size() - segment_begin_))
    return too_large("line-too-long", "the IMAP server sends a line of more than " +
                                          std::to_string(limits_.line_octets) + " octets");
  if (take > limits_.reply_octets - std::min(limits_.reply_octets, tokens_.text().size()))
    return too_large("too-large", "the IMAP server sends a reply of more than " +
                                      std::to_string(limits_.reply_octets) + " octets");
  tokens_.text().append(input.substr(0, take));
  input.remove_prefix(take);
  return feed != std::string_view::npos;
}

bool ReplyReader::is_streamed() const {
  // "* 12 FETCH (… BODY[…] {…}": the sections of a message, at the outer level of the list.
  if (tokens_.size() < 5 || tokens_.depth() != 1) return false;
  const Token& last = tokens_[tokens_.size() - 1];
  if (last.kind != TokenKind::atom || !text::equals_ignore_case(tokens_.text_of(tokens_[2]), "FETCH"))
    return false;
  const std::string name = text::to_lower_ascii(tokens_.text_of(last).substr(0, 8));
  return name.starts_with("body[") || name.starts_with("binary[") || name.starts_with("rfc822");
}

void ReplyReader::describe_literal(std::uint64_t octets) {
  literal_.octets = octets;
  literal_.section = tokens_.text_of(tokens_[tokens_.size() - 1]);
  literal_.sequence = parse_number(tokens_.text_of(tokens_[1])).value_or(0);
  literal_.uid = 0;
  std::size_t depth = 0;
  for (std::size_t i = 3; i + 1 < tokens_.size(); ++i) {
    if (tokens_[i].kind == TokenKind::open) ++depth;
    if (tokens_[i].kind == TokenKind::close) --depth;
    if (depth != 1 || tokens_[i].kind != TokenKind::atom ||
        !text::equals_ignore_case(tokens_.text_of(tokens_[i]), "UID"))
      continue;
    const auto uid = parse_number(tokens_.text_of(tokens_[i + 1]));
    if (uid && *uid <= 0xFFFFFFFFU) literal_.uid = static_cast<Uid>(*uid);
    break;
  }
}

Result<ReplyReader::Step> ReplyReader::end_of_segment() {
  std::size_t end = tokens_.text().size() - 1;
  if (end > segment_begin_ && tokens_.text()[end - 1] == '\r') --end;
  const std::string_view line = std::string_view(tokens_.text()).substr(segment_begin_, end - segment_begin_);
  if (segment_begin_ == 0 && is_status_line(line)) {
    auto status = parse_status_line(line);
    if (!status) return fail(std::move(status.error()));
    reply_ = std::move(*status);
    finished_ = true;
    return Step::reply;
  }
  const auto announced = announced_literal(line);
  const std::size_t words_end = announced ? segment_begin_ + announced->begin : end;
  if (auto done = tokens_.append_segment(segment_begin_, words_end, limits_); !done)
    return fail(std::move(done.error()));
  if (!announced) {
    if (tokens_.depth() != 0)
      return fail(ErrorDomain::mail, "bad-response", "the IMAP server did not close a parenthesis");
    auto data = parse_data(tokens_, limits_);
    if (!data) return fail(std::move(data.error()));
    reply_ = std::move(*data);
    finished_ = true;
    return Step::reply;
  }
  const bool streamed = is_streamed();
  if (announced->too_large ||
      announced->octets > (streamed ? limits_.streamed_octets : limits_.literal_octets))
    return too_large("literal-too-large",
                     "the IMAP server announces a literal that is larger than the limit");
  remaining_ = announced->octets;
  if (streamed) {
    describe_literal(announced->octets);
    tokens_.append_streamed();
    state_ = State::streamed_literal;
    return Step::literal_start;
  }
  if (remaining_ > limits_.reply_octets - std::min(limits_.reply_octets, tokens_.text().size()))
    return too_large("too-large", "a reply of the IMAP server is larger than the limit");
  literal_begin_ = tokens_.text().size();
  state_ = State::kept_literal;
  return Step::need_more;
}

void ReplyReader::give_back() {
  if (!finished_) return;
  tokens_ = Tokens{};
  reply_ = Reply{};
}

Result<ReplyReader::Step> ReplyReader::next(std::string_view& input) {
  if (finished_) {
    tokens_.clear();
    segment_begin_ = 0;
    finished_ = false;
    state_ = State::line;
  }
  for (;;) {
    switch (state_) {
      case State::line: {
        auto complete = take_line(input);
        if (!complete) return fail(std::move(complete.error()));
        if (!*complete) return Step::need_more;
        auto step = end_of_segment();
        if (!step || *step != Step::need_more) return step;
        break;
      }
      case State::kept_literal: {
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
        tokens_.text().append(input.substr(0, take));
        input.remove_prefix(take);
        remaining_ -= take;
        if (remaining_ > 0) return Step::need_more;
        segment_begin_ = tokens_.text().size();
        tokens_.append_literal(literal_begin_, segment_begin_);
        state_ = State::line;
        break;
      }
      case State::streamed_literal: {
        if (remaining_ == 0) {
          segment_begin_ = tokens_.text().size();
          state_ = State::line;
          return Step::literal_end;
        }
        if (input.empty()) return Step::need_more;
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
        data_ = input.substr(0, take);
        input.remove_prefix(take);
        remaining_ -= take;
        return Step::literal_data;
      }
    }
  }
}

}  // namespace syncline::imap
