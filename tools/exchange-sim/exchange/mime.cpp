// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/mime.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim {
namespace {

using syncline::text::equals_ignore_case;
using syncline::text::trim;

constexpr std::size_t kHeaderLimit = 2000;
constexpr std::size_t kPartLimit = 2000;
constexpr std::size_t kDepthLimit = 30;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string decode_quoted_printable(std::string_view text, bool in_header) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_header && text[i] == '_') {
      out += ' ';
    } else if (text[i] != '=') {
      out += text[i];
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else if (i + 1 < text.size() && text[i + 1] == '\n') {
      i += 1;
    } else if (i + 2 < text.size() && text[i + 1] == '\r' && text[i + 2] == '\n') {
      i += 2;
    } else {
      out += '=';
    }
  }
  return out;
}

std::string decode_base64_leniently(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/') clean += c;
  if (clean.size() % 4 == 1) clean.pop_back();
  while (clean.size() % 4 != 0) clean += '=';
  return syncline::base64_decode(clean).value_or(std::string());
}

std::string to_utf8(std::string text, std::string_view charset) {
  if (equals_ignore_case(charset, "iso-8859-1") || equals_ignore_case(charset, "windows-1252") ||
      equals_ignore_case(charset, "iso-8859-15") || !syncline::text::is_valid_utf8(text)) {
    // Octets of an unknown charset are read as Latin-1, so that nothing is lost.
    std::string out;
    for (const char c : text) syncline::text::append_utf8(out, static_cast<unsigned char>(c));
    return out;
  }
  return text;
}

/// RFC 2047.
std::string decode_words(std::string_view text) {
  std::string out;
  std::size_t last_end = std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = text.find("=?", at);
    if (start == std::string_view::npos) {
      out += text.substr(at);
      break;
    }
    const std::size_t charset_end = text.find('?', start + 2);
    const std::size_t encoding_end = charset_end == std::string_view::npos ? charset_end : charset_end + 2;
    const std::size_t end = encoding_end == std::string_view::npos || encoding_end >= text.size()
                                ? std::string_view::npos
                                : text.find("?=", encoding_end + 1);
    if (end == std::string_view::npos || text[encoding_end] != '?') {
      out += text.substr(at, start + 2 - at);
      at = start + 2;
      continue;
    }
    const std::string_view between = text.substr(at, start - at);
    if (at != last_end || !trim(between).empty()) out += between;
    const std::string_view charset = text.substr(start + 2, charset_end - start - 2);
    const std::string_view body = text.substr(encoding_end + 1, end - encoding_end - 1);
    const char encoding = text[charset_end + 1];
    out += to_utf8(encoding == 'B' || encoding == 'b' ? decode_base64_leniently(body)
                                                      : decode_quoted_printable(body, true),
                   charset.substr(0, charset.find('*')));
    at = last_end = end + 2;
  }
  return out;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Raw, unfolded headers; returns where the body begins.
std::size_t read_headers(std::string_view part, Headers& headers) {
  std::size_t at = 0;
  while (at < part.size()) {
    const std::size_t newline = std::min(part.find('\n', at), part.size());
    std::string_view line = part.substr(at, newline - at);
    at = std::min(newline + 1, part.size());
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) return at;
    if ((line.front() == ' ' || line.front() == '\t') && !headers.empty()) {
      headers.back().second += ' ';
      headers.back().second += trim(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || headers.size() >= kHeaderLimit) continue;
    headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return at;
}

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (equals_ignore_case(key, name)) return value;
  return {};
}

std::string parameter(std::string_view value, std::string_view name) {
  for (std::size_t at = value.find(';'); at != std::string_view::npos && at < value.size();) {
    const std::size_t equals = value.find('=', at + 1);
    if (equals == std::string_view::npos) break;
    const std::string_view key = trim(value.substr(at + 1, equals - at - 1));
    std::string content;
    std::size_t end = equals + 1;
    while (end < value.size() && value[end] == ' ') ++end;
    if (end < value.size() && value[end] == '"') {
      for (++end; end < value.size() && value[end] != '"'; ++end) {
        if (value[end] == '\\' && end + 1 < value.size()) ++end;
        content += value[end];
      }
      at = value.find(';', end);
    } else {
      at = value.find(';', end);
      content = trim(value.substr(end, at == std::string_view::npos ? std::string_view::npos : at - end));
    }
    if (equals_ignore_case(key, name)) return decode_words(content);
    if (key.size() == name.size() + 1 && key.back() == '*' &&
        equals_ignore_case(key.substr(0, name.size()), name)) {
      const std::size_t first = content.find('\'');
      const std::size_t second = first == std::string::npos ? first : content.find('\'', first + 1);
      if (second == std::string::npos) return content;
      std::string percent = content.substr(second + 1);
      std::string out;
      for (std::size_t i = 0; i < percent.size(); ++i) {
        if (percent[i] == '%' && i + 2 < percent.size() && hex_digit(percent[i + 1]) >= 0 &&
            hex_digit(percent[i + 2]) >= 0) {
          out += static_cast<char>(hex_digit(percent[i + 1]) * 16 + hex_digit(percent[i + 2]));
          i += 2;
        } else {
          out += percent[i];
        }
      }
      return to_utf8(std::move(out), content.substr(0, first));
    }
  }
  return {};
}

void append_part(ParsedMail& mail, std::string_view part,
                 std::vector<std::pair<std::string_view, std::size_t>>& stack, std::size_t depth,
                 const Headers& headers, std::string_view body) {
  const std::string_view type_header = find_header(headers, "Content-Type");
  std::string type = syncline::text::to_lower_ascii(trim(type_header.substr(0, type_header.find(';'))));
  if (type.empty() || type.find('/') == std::string::npos) type = "text/plain";
  if (type.starts_with("multipart/") && depth < kDepthLimit) {
    const std::string boundary = "--" + parameter(type_header, "boundary");
    std::vector<std::string_view> parts;
    std::size_t start = std::string_view::npos;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t newline = std::min(body.find('\n', at), body.size());
      std::string_view line = body.substr(at, newline - at);
      if (line.starts_with(boundary) && boundary.size() > 2) {
        const std::string_view rest = trim(line.substr(boundary.size()));
        if (rest.empty() || rest == "--") {
          if (start != std::string_view::npos) {
            std::size_t end = at;
            if (end > start && body[end - 1] == '\n') --end;
            if (end > start && body[end - 1] == '\r') --end;
            parts.push_back(body.substr(start, end - start));
          }
          start = rest.empty() ? std::min(newline + 1, body.size()) : std::string_view::npos;
          if (!rest.empty()) break;
        }
      }
      at = newline + 1;
    }
    if (start != std::string_view::npos && start < body.size()) parts.push_back(body.substr(start));
    for (auto p = parts.rbegin(); p != parts.rend(); ++p) stack.emplace_back(*p, depth + 1);
    return;
  }
  (void)part;
  const std::string_view disposition_header = find_header(headers, "Content-Disposition");
  const std::string_view disposition = trim(disposition_header.substr(0, disposition_header.find(';')));
  const std::string_view encoding = find_header(headers, "Content-Transfer-Encoding");
  std::string content = equals_ignore_case(encoding, "base64") ? decode_base64_leniently(body)
                        : equals_ignore_case(encoding, "quoted-printable")
                            ? decode_quoted_printable(body, false)
                            : std::string(body);
  const bool attached = equals_ignore_case(disposition, "attachment");
  if (!attached && type == "text/plain" && mail.text.empty()) {
    mail.text = to_utf8(std::move(content), parameter(type_header, "charset"));
    return;
  }
  if (!attached && type == "text/html" && !mail.has_html) {
    mail.html = to_utf8(std::move(content), parameter(type_header, "charset"));
    mail.has_html = true;
    return;
  }
  MailPart attachment;
  attachment.content_type = std::move(type);
  attachment.name = parameter(disposition_header, "filename");
  if (attachment.name.empty()) attachment.name = parameter(type_header, "name");
  std::string_view id = find_header(headers, "Content-ID");
  if (id.size() > 2 && id.front() == '<') id = id.substr(1, id.size() - 2);
  attachment.content_id = id;
  attachment.is_inline = equals_ignore_case(disposition, "inline");
  attachment.content = std::move(content);
  mail.attachments.push_back(std::move(attachment));
}

std::string encode_header(std::string_view value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (plain) return std::string(value);
  std::string out;
  std::string chunk;
  const auto flush = [&] {
    if (chunk.empty()) return;
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + syncline::base64_encode(chunk) + "?=";
    chunk.clear();
  };
  for (std::size_t i = 0; i < value.size();) {
    const auto point = syncline::text::next_code_point(value.substr(i));
    const std::size_t length = point ? point->length : 1;
    if (chunk.size() + length > 42) flush();
    if (point && point->value >= 0x20) {
      chunk += value.substr(i, length);
    } else {
      chunk += ' ';
    }
    i += length;
  }
  flush();
  return out;
}

/// "Name <a@b>, c@d" with only the names encoded.
std::string encode_addresses(std::string_view value) {
  std::string out;
  for (const MailAddress& a : parse_addresses(value)) {
    if (!out.empty()) out += ",\r\n ";
    if (!a.name.empty() && a.name != a.address) {
      const std::string name = encode_header(a.name);
      if (name == a.name) {
        out += '"';
        for (const char c : name) {
          if (c == '"' || c == '\\') out += '\\';
          out += c;
        }
        out += '"';
      } else {
        out += name;
      }
      out += " <" + a.address + '>';
    } else {
      out += a.address;
    }
  }
  return out;
}

void append_base64_lines(std::string& out, std::string_view content) {
  const std::string encoded = syncline::base64_encode(content);
  for (std::size_t at = 0; at < encoded.size(); at += 76) {
    out.append(encoded, at, 76);
    out += "\r\n";
  }
}

std::string safe_parameter(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out;
}

constexpr std::array<std::string_view, 24> kWords = {
    "project", "meeting",  "report", "budget",   "invoice",  "contract", "review", "schedule",
    "release", "customer", "offer",  "delivery", "question", "draft",    "plan",   "summary",
    "quarter", "training", "travel", "network",  "update",   "agenda",   "order",  "proposal"};

std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace

std::string quoted_printable_octets(std::string_view text) {
  return decode_quoted_printable(text, false);
}

std::string octets_as_utf8(std::string text, std::string_view charset) {
  return to_utf8(std::move(text), charset);
}

std::string_view ParsedMail::header(std::string_view name) const noexcept {
  return find_header(headers, name);
}

std::vector<MailAddress> parse_addresses(std::string_view value) {
  std::vector<MailAddress> found;
  MailAddress current;
  std::string word;
  bool in_angle = false;
  const auto finish = [&] {
    if (current.address.empty()) {
      current.address = trim(word);
    } else {
      current.name = decode_words(trim(word));
    }
    if (!current.address.empty()) found.push_back(std::move(current));
    current = {};
    word.clear();
    in_angle = false;
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (in_angle) {
      if (c == '>') {
        in_angle = false;
      } else {
        current.address += c;
      }
    } else if (c == '"') {
      for (++i; i < value.size() && value[i] != '"'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        word += value[i];
      }
    } else if (c == '(') {
      while (i < value.size() && value[i] != ')') ++i;
    } else if (c == '<') {
      in_angle = true;
      current.address.clear();
    } else if (c == ',' || c == ';') {
      finish();
    } else if (c == ':' && current.address.empty()) {
      word.clear();  // the name of a group
    } else {
      word += c;
    }
  }
  finish();
  return found;
}

std::optional<Seconds> parse_mail_date(std::string_view text) {
  constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  const std::size_t comma = text.find(',');
  if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  text = trim(text);
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  char month_name[16] = {};
  char zone[16] = {};
  const std::string copy(text.substr(0, 100));
  const int fields = std::sscanf(copy.c_str(), "%2d %15s %4d %2d:%2d:%2d %15s", &day, month_name, &year,
                                 &hour, &minute, &second, zone);
  if (fields < 5) return std::nullopt;
  if (fields == 5 && std::sscanf(copy.c_str(), "%2d %15s %4d %2d:%2d %15s", &day, month_name, &year, &hour,
                                 &minute, zone) < 5)
    return std::nullopt;
  const std::string lower = syncline::text::to_lower_ascii(std::string_view(month_name).substr(0, 3));
  const std::size_t at = lower.size() == 3 ? kMonths.find(lower) : std::string_view::npos;
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  if (year < 50) year += 2000;
  if (year < 1000) year += 1900;
  const int month = static_cast<int>(at / 3) + 1;
  if (day < 1 || day > days_in_month(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)
    return std::nullopt;
  Seconds when = day_of(year, month, day) * kDaySeconds + hour * 3600 + minute * 60 + second;
  int offset = 0;
  if ((zone[0] == '+' || zone[0] == '-') && std::sscanf(zone + 1, "%4d", &offset) == 1) {
    const int minutes = offset / 100 * 60 + offset % 100;
    when -= (zone[0] == '-' ? -minutes : minutes) * Seconds{60};
  } else {
    constexpr std::pair<std::string_view, int> kZones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6},
                                                           {"CDT", -5}, {"MST", -7}, {"MDT", -6},
                                                           {"PST", -8}, {"PDT", -7}};
    for (const auto& [name, hours] : kZones)
      if (name == zone) when -= hours * Seconds{3600};
  }
  return when;
}

std::string format_mail_date(Seconds utc) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Day day = day_of_seconds(utc);
  const CivilDate date = civil(day);
  const int rest = static_cast<int>(utc - day * kDaySeconds);
  char buffer[96];
  const int length =
      std::snprintf(buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d +0000", kDays[weekday(day)],
                    date.day, kMonths[date.month - 1], date.year, rest / 3600, rest / 60 % 60, rest % 60);
  return std::string(buffer, static_cast<std::size_t>(length));
}

ParsedMail parse_mail(std::string_view mime, bool headers_only) {
  ParsedMail mail;
  Headers raw;
  const std::size_t body = read_headers(mime, raw);
  for (const auto& [name, value] : raw) {
    const std::string safe = to_utf8(value, "");
    mail.headers.emplace_back(to_utf8(name, ""), decode_words(safe));
    const auto addresses = [&](std::vector<MailAddress>& into) {
      for (MailAddress& a : parse_addresses(safe)) into.push_back(std::move(a));
    };
    if (equals_ignore_case(name, "Subject")) mail.subject = decode_words(safe);
    if (equals_ignore_case(name, "From")) addresses(mail.from);
    if (equals_ignore_case(name, "Sender")) addresses(mail.sender);
    if (equals_ignore_case(name, "To")) addresses(mail.to);
    if (equals_ignore_case(name, "Cc")) addresses(mail.cc);
    if (equals_ignore_case(name, "Bcc")) addresses(mail.bcc);
    if (equals_ignore_case(name, "Reply-To")) addresses(mail.reply_to);
    if (equals_ignore_case(name, "Date") && !mail.date) mail.date = parse_mail_date(safe);
    if (equals_ignore_case(name, "Message-ID") && mail.message_id.empty()) mail.message_id = safe;
    if (equals_ignore_case(name, "In-Reply-To")) mail.in_reply_to = safe;
    if (equals_ignore_case(name, "References")) mail.references = safe;
    if (equals_ignore_case(name, "Importance"))
      mail.importance = equals_ignore_case(safe, "high")  ? "High"
                        : equals_ignore_case(safe, "low") ? "Low"
                                                          : "Normal";
  }
  const std::string_view type = find_header(raw, "Content-Type");
  if (equals_ignore_case(trim(type.substr(0, type.find(';'))), "multipart/report"))
    mail.report_type = syncline::text::to_lower_ascii(parameter(type, "report-type"));
  if (headers_only) return mail;
  std::vector<std::pair<std::string_view, std::size_t>> stack;
  append_part(mail, mime, stack, 0, raw, mime.substr(body));
  for (std::size_t seen = 0; !stack.empty() && seen < kPartLimit; ++seen) {
    const auto [part, depth] = stack.back();
    stack.pop_back();
    Headers headers;
    const std::size_t start = read_headers(part, headers);
    append_part(mail, part, stack, depth, headers, part.substr(start));
  }
  return mail;
}

std::string with_headers(std::string_view mime,
                         const std::vector<std::pair<std::string, std::string>>& needed,
                         std::string_view unwanted) {
  std::string kept;
  std::vector<bool> is_there(needed.size());
  bool is_kept = true;
  std::size_t at = 0;
  while (at < mime.size()) {
    const std::size_t end = std::min(mime.find('\n', at), mime.size() - 1) + 1;
    const std::string_view line = mime.substr(at, end - at);
    const std::string_view content = trim(line);
    if (content.empty()) break;
    if (line.front() != ' ' && line.front() != '\t') {
      const std::size_t colon = line.find(':');
      // A line that is no field: the header ends here, whatever comes.
      if (colon == std::string_view::npos) break;
      const std::string_view name = trim(line.substr(0, colon));
      is_kept = !equals_ignore_case(name, unwanted);
      for (std::size_t i = 0; i < needed.size(); ++i)
        if (equals_ignore_case(name, needed[i].first)) is_there[i] = true;
    }
    if (is_kept) kept += line;
    at = end;
  }
  std::string out;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const auto& [name, value] = needed[i];
    if (is_there[i] || value.empty()) continue;
    out += name + ": " + (name == "From" ? encode_addresses(value) : encode_header(value)) + "\r\n";
  }
  out += kept;
  const std::string_view body = mime.substr(at);
  const bool has_end_of_header = body.empty() || body.starts_with('\n') || body.starts_with("\r\n");
  if (!has_end_of_header) out += "\r\n";
  out += body;
  return out;
}

std::string write_mail(const MailToWrite& mail) {
  std::string out;
  for (const auto& [name, value] : mail.headers) {
    const bool addresses = name == "From" || name == "To" || name == "Cc" || name == "Bcc" ||
                           name == "Reply-To" || name == "Sender";
    out += name + ": " + (addresses ? encode_addresses(value) : encode_header(value)) + "\r\n";
  }
  out += "MIME-Version: 1.0\r\n";
  const bool mixed = mail.attachments != nullptr && !mail.attachments->empty();
  const auto body = [&] {
    out += mail.is_html ? "Content-Type: text/html; charset=\"utf-8\"\r\n"
                        : "Content-Type: text/plain; charset=\"utf-8\"\r\n";
    out += "Content-Transfer-Encoding: base64\r\n\r\n";
    append_base64_lines(out, mail.body);
  };
  const std::string inner = mail.boundary + "_a";
  const auto content = [&] {
    if (mail.calendar.empty()) return body();
    out += "Content-Type: multipart/alternative; boundary=\"" + inner + "\"\r\n\r\n--" + inner + "\r\n";
    body();
    out += "--" + inner +
           "\r\nContent-Type: text/calendar; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    append_base64_lines(out, mail.calendar);
    out += "--" + inner + "--\r\n";
  };
  if (!mixed) {
    content();
    return out;
  }
  out +=
      "Content-Type: multipart/mixed; boundary=\"" + mail.boundary + "\"\r\n\r\n--" + mail.boundary + "\r\n";
  content();
  for (const Attachment& a : *mail.attachments) {
    if (a.kind == Attachment::Kind::reference) continue;
    out += "--" + mail.boundary + "\r\n";
    if (a.kind == Attachment::Kind::item) {
      out += "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"" +
             safe_parameter(a.name) + "\"\r\n\r\n";
      if (a.item) out += mime_octets(a.item->mime);
      out += "\r\n";
      continue;
    }
    out += "Content-Type: " +
           (a.content_type.empty() ? "application/octet-stream" : safe_parameter(a.content_type)) +
           "\r\nContent-Disposition: " + (a.is_inline ? "inline" : "attachment") + "; filename=\"" +
           safe_parameter(a.name) + "\"\r\n";
    if (!a.content_id.empty()) out += "Content-ID: <" + safe_parameter(a.content_id) + ">\r\n";
    out += "Content-Transfer-Encoding: base64\r\n\r\n";
    if (a.content) append_base64_lines(out, *a.content);
  }
  out += "--" + mail.boundary + "--\r\n";
  return out;
}

GeneratedHeaders generated_headers(const GeneratedMail& mail) {
  const std::uint64_t a = mix(mail.seed);
  const std::uint64_t b = mix(a);
  GeneratedHeaders made;
  made.subject = std::string(kWords[a % kWords.size()]) + ' ' +
                 std::string(kWords[(a >> 8) % kWords.size()]) + " #" + std::to_string(mail.seed % 1'000'000);
  made.from_name = "Sender " + std::to_string(b % 500);
  made.from = "sender" + std::to_string(b % 500) + "@partner.example";
  made.to = "recipient" + std::to_string((b >> 16) % 50) + "@example.com";
  made.message_id =
      "<g" + std::to_string(mail.seed) + '.' + std::to_string(a % 100'000) + "@partner.example>";
  // Spread over the three years before 2026-11-01, newest with the highest seeds' low part.
  made.date = day_of(2026, 11, 1) * kDaySeconds - static_cast<Seconds>((b >> 24) % (3ULL * 365 * 86400));
  return made;
}

namespace {

std::string generated_head(const GeneratedMail& mail) {
  const GeneratedHeaders h = generated_headers(mail);
  return "From: \"" + h.from_name + "\" <" + h.from + ">\r\nTo: " + h.to + "\r\nSubject: " + h.subject +
         "\r\nDate: " + format_mail_date(h.date) + "\r\nMessage-ID: " + h.message_id +
         "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\n";
}

/// Lines that all generated mail is cut from: a body costs one copy, not a draw for every word. Longer than
/// the window of deflate, so that a body compresses as words do and not as repetitions.
struct Tile {
  std::string text;
  std::vector<std::size_t> lines;  ///< where they begin
  Tile() {
    constexpr std::size_t octets = 256 * 1024;
    std::uint64_t state = mix(1);
    while (text.size() < octets) {
      lines.push_back(text.size());
      for (std::size_t column = 0; column < 62;) {
        const std::string_view word = kWords[state % kWords.size()];
        state = mix(state);
        text += word;
        text += ' ';
        column += word.size() + 1;
      }
      text += "\r\n";
    }
  }
};

/// Lines up to exactly `size` octets in all.
void append_generated_text(std::string& out, const GeneratedMail& mail, std::size_t size) {
  static const Tile tile;
  std::size_t at = tile.lines[mix(mail.seed + 1) % tile.lines.size()];
  while (out.size() < size) {
    const std::size_t piece = std::min(size - out.size(), tile.text.size() - at);
    out.append(tile.text, at, piece);
    at = 0;
  }
}

}  // namespace

std::size_t mime_size(const MimeSource& source) {
  if (const auto* bytes = std::get_if<std::shared_ptr<const std::string>>(&source))
    return *bytes ? (*bytes)->size() : 0;
  if (const auto* generated = std::get_if<GeneratedMail>(&source)) return generated->size;
  return 0;
}

std::string mime_octets(const MimeSource& source) {
  if (const auto* bytes = std::get_if<std::shared_ptr<const std::string>>(&source))
    return *bytes ? **bytes : std::string();
  const auto* generated = std::get_if<GeneratedMail>(&source);
  if (generated == nullptr) return {};
  std::string out = generated_head(*generated);
  if (out.size() > generated->size) {
    out.resize(generated->size);
    return out;
  }
  out.reserve(generated->size);
  append_generated_text(out, *generated, generated->size);
  return out;
}

std::optional<std::string> generated_text(const MimeSource& source) {
  const auto* generated = std::get_if<GeneratedMail>(&source);
  if (generated == nullptr) return std::nullopt;
  const std::size_t head = generated_head(*generated).size();
  std::string out;
  if (head >= generated->size) return out;
  out.reserve(generated->size - head);
  append_generated_text(out, *generated, generated->size - head);
  return out;
}

}  // namespace exchange_sim
