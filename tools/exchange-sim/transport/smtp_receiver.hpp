// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The receiving side of SMTP (RFC 5321) without I/O: octets in, replies out, messages to a taker.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exchange_sim {

/// A message as it came over SMTP.
struct ReceivedMail {
  std::string from;             ///< reverse path; empty for notifications
  std::vector<std::string> to;  ///< forward paths that were accepted, the domain in lower case
  std::string content;          ///< dots unstuffed, otherwise octet for octet
};

/// Decides about recipients and takes messages.
class MailTaker {
 public:
  enum class Recipient { ours, unknown, elsewhere };
  virtual ~MailTaker() = default;
  virtual Recipient recipient(std::string_view address) = 0;
  /// False: nothing was taken, the sender should come again.
  virtual bool take(ReceivedMail mail) = 0;
};

struct ReceiverLimits {
  std::size_t line_octets = 2048;  ///< of a command, with CRLF; RFC 5321 section 4.5.3.1.4 wants 512 and more
  std::size_t endless_line_octets = 64 * 1024;  ///< so long a command, and it is over
  std::uint64_t message_octets = 52'428'800;
  std::size_t recipients = 500;
  std::size_t errors = 20;  ///< commands refused for what they are; then it is over
};

/// One session. PIPELINING, SIZE, 8BITMIME and enhanced status codes; nothing else is offered.
class SmtpReceiver {
 public:
  /// `taker` must outlive it.
  SmtpReceiver(std::string host_name, ReceiverLimits limits, MailTaker& taker);

  /// The first reply, before anything is fed.
  std::string greeting() const;
  /// Takes octets, cut anywhere; gives the replies to say now, in order, often none.
  std::string feed(std::string_view octets);
  /// Say what feed() gave, and end the connection.
  bool is_over() const noexcept { return over_; }

 private:
  enum class Phase { commands, data };
  /// Where in a message the last octet was: ends are CR LF . CR LF and nothing else (a bare LF ends no line).
  enum class Place { line_start, dot, dot_cr, text, cr };

  std::string_view take_line(std::string_view octets, std::string& replies);
  std::string_view take_data(std::string_view octets, std::string& replies);
  void command(std::string_view line, std::string& replies);
  void mail(std::string_view argument, std::string& replies);
  void rcpt(std::string_view argument, std::string& replies);
  void begin_data(std::string& replies);
  void end_data(std::string& replies);
  void keep(std::string_view octets);
  void refuse(std::string_view reply, std::string& replies);
  void reset();

  std::string host_name_;
  ReceiverLimits limits_;
  MailTaker& taker_;
  Phase phase_ = Phase::commands;
  std::string line_;
  std::size_t line_octets_ = 0;  ///< of the line so far, kept or not
  bool greeted_ = false;
  bool has_sender_ = false;
  ReceivedMail mail_;
  Place place_ = Place::line_start;
  std::uint64_t data_octets_ = 0;  ///< of the message so far, kept or not
  std::size_t errors_ = 0;
  bool over_ = false;
};

}  // namespace exchange_sim
