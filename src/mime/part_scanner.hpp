// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The structure of a message (RFC 2046) from its octets as they come, cut anywhere, without going back and
// without calls in calls: headers, and the octets of parts between delimiters.
//
// Ours instead of GMime's parser, whose gaps are inside it: a line that is no header field loses the body (of
// any part), files whose lines end with CR are one field, an empty file is an error, parts deep inside
// vanish, and what an attached message's octets were is not kept.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "mime/defects.hpp"
#include "mime/header_block.hpp"
#include "mime/limits.hpp"

namespace syncline::mime {

/// What is done with a part whose header was read.
struct PartPlan {
  std::optional<std::string> boundary = std::nullopt;  ///< its parts stand between these; else it is a leaf
};

/// Order: on_header, then for a leaf any number of on_content and on_leaf_end, for a multipart the same for
/// each of its parts and on_multipart_end. Of parts beyond the limit nothing is told. An error ends the
/// reading.
class PartEvents {
 public:
  virtual ~PartEvents() = default;
  virtual Result<PartPlan> on_header(HeaderBlock&& header) = 0;
  virtual Result<void> on_content(std::string_view octets) = 0;
  virtual Result<void> on_leaf_end() = 0;
  virtual Result<void> on_multipart_end() = 0;
};

class PartScanner {
 public:
  PartScanner(const Limits& limits, PartEvents& events);

  Result<void> feed(std::string_view octets);
  /// The message ends here.
  Result<void> finish();
  /// How deep the part under way is: 0 is the message.
  std::size_t depth() const noexcept { return open_.size(); }
  const Defects& defects() const noexcept { return defects_; }

 private:
  enum class State : std::uint8_t { sniffing, header, content };
  struct Replay {
    std::string octets;
    std::size_t at = 0;
  };

  Result<void> run(std::string_view octets);
  Result<std::size_t> step(std::string_view octets);
  Result<std::size_t> step_header(std::string_view octets);
  Result<std::size_t> step_content(std::string_view octets);
  Result<void> header_line(std::string_view line, std::string_view line_end);
  Result<void> last_header_line();
  Result<void> last_content_line();
  Result<void> end_header();
  Result<void> doubt_was_body();
  Result<void> take_delimiter(std::size_t level, bool is_closing);
  Result<void> emit(std::string_view octets);
  Result<void> emit_held_line_end();
  void start_part();
  /// Level of the open multipart whose delimiter the line is.
  struct Delimiter {
    std::size_t level;
    bool is_closing;
  };
  std::optional<Delimiter> delimiter_of(std::string_view line) const;
  std::string with_lf(std::string_view octets);

  Limits limits_;
  PartEvents& events_;
  Defects defects_ = {};
  State state_ = State::sniffing;
  std::vector<std::string> open_ = {};  ///< boundaries of open multiparts, outermost first
  std::vector<Replay> replays_ = {};    ///< octets to be read again before what comes next, the last first
  HeaderBlock header_;
  std::string line_ = {};  ///< the unfinished line (header), or what may yet be a delimiter (content)
  std::string doubt_ =
      {};  ///< whole lines from one on that is no header field, until it is known what they are
  bool line_is_long_ = false;  ///< header: the rest of the line is dropped
  bool at_line_start_ = true;
  bool in_leaf_ = false;
  bool cr_lines_ = false;
  bool cr_before_ = false;
  std::string_view held_line_end_ =
      {};  ///< belongs to the delimiter if one follows: "", "\r", "\n" or "\r\n"
  std::size_t parts_ = 1;
};

}  // namespace syncline::mime
