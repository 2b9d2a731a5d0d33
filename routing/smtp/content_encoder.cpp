// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/content_encoder.hpp"

#include <algorithm>

namespace syncline::smtp {

void ContentEncoder::end_line(std::string& out) {
  out.append("\r\n");
  line_start_ = true;
}

void ContentEncoder::feed(std::string_view octets, std::string& out) {
  std::size_t at = 0;
  if (pending_cr_ && !octets.empty()) {
    pending_cr_ = false;
    end_line(out);
    if (octets.front() == '\n') at = 1;
  }
  while (at < octets.size()) {
    if (line_start_ && octets[at] == '.' && form_ == Form::dot_stuffed) out += '.';
    const std::size_t lf = std::min(octets.find('\n', at), octets.size());
    const std::string_view line = octets.substr(at, lf - at);
    const std::size_t cr = line.find('\r');
    out.append(line.substr(0, cr));
    line_start_ = line_start_ && line.substr(0, cr).empty();
    if (cr != std::string_view::npos) {
      at += cr + 1;
      if (at == octets.size()) {
        pending_cr_ = true;
        return;
      }
      end_line(out);
      if (octets[at] == '\n') ++at;
    } else {
      at = lf;
      if (lf < octets.size()) {
        end_line(out);
        ++at;
      }
    }
  }
}

void ContentEncoder::finish(std::string& out) {
  if (pending_cr_ || !line_start_) end_line(out);
  pending_cr_ = false;
  if (form_ == Form::dot_stuffed) out.append(".\r\n");
}

}  // namespace syncline::smtp
