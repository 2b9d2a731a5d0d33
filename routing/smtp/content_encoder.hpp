// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A message's text on its way to the server, in pieces cut anywhere. No I/O.
#include <string>
#include <string_view>

namespace syncline::smtp {

/// Every line ends with CRLF, whatever the text had: a lone CR or LF is what servers disagree about, and one
/// before a dot would let a message end where its author likes (RFC 5321 section 2.3.8, "SMTP smuggling").
class ContentEncoder {
 public:
  enum class Form {
    dot_stuffed,  ///< for DATA: section 4.5.2
    plain,        ///< for BDAT
  };
  explicit ContentEncoder(Form form) noexcept : form_(form) {}

  void feed(std::string_view octets, std::string& out);
  /// Ends the last line, and for DATA adds the final dot. Once.
  void finish(std::string& out);

 private:
  void end_line(std::string& out);

  Form form_;
  bool line_start_ = true;
  bool pending_cr_ = false;
};

}  // namespace syncline::smtp
