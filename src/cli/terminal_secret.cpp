// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/terminal_secret.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace syncline::cli {

namespace {

constexpr std::size_t max_secret_octets = 64 * 1024;

/// Puts the terminal back as it was, whatever happens.
class SilentTerminal {
 public:
  explicit SilentTerminal(int descriptor) : descriptor_(descriptor) {
    if (tcgetattr(descriptor_, &before_) != 0) return;
    termios silent = before_;
    // Without ISIG Ctrl-C arrives as a character: the process must not die with the echo off.
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ISIG);
    changed_ = tcsetattr(descriptor_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) tcsetattr(descriptor_, TCSAFLUSH, &before_);
    close(descriptor_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  bool silent() const noexcept { return changed_; }

 private:
  int descriptor_;
  termios before_{};
  bool changed_ = false;
};

void write_text(int descriptor, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    written += static_cast<std::size_t>(count);
  }
}

/// One line without its end. `interrupted` is set when Ctrl-C came.
bool read_line(int descriptor, std::string& line, bool& interrupted) {
  while (line.size() <= max_secret_octets) {
    char c = 0;
    const ssize_t count = read(descriptor, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0 || c == '\n') break;
    if (c == '\x03') {
      interrupted = true;
      return false;
    }
    line += c;
  }
  while (!line.empty() && line.back() == '\r') line.pop_back();
  return line.size() <= max_secret_octets;
}

}  // namespace

Result<Secret> prompt_secret(const std::string& prompt) {
  const int descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) {
    return fail(ErrorDomain::input, "no-terminal",
                "There is no terminal to ask for the password; use --password-stdin");
  }
  const SilentTerminal terminal(descriptor);
  if (!terminal.silent()) {
    return fail(ErrorDomain::input, "no-terminal",
                "The terminal's echo cannot be turned off; use --password-stdin");
  }
  write_text(descriptor, prompt);
  std::string line;
  line.reserve(1024);
  bool interrupted = false;
  const bool good = read_line(descriptor, line, interrupted);
  write_text(descriptor, "\n");
  Secret secret(std::move(line));
  if (interrupted) return fail(ErrorDomain::local, "interrupted", "Interrupted");
  if (!good || secret.empty()) return fail(ErrorDomain::input, "no-secret", "No password was entered");
  return secret;
}

Result<Secret> read_secret_line() {
  std::string line;
  line.reserve(1024);
  bool interrupted = false;
  const bool good = read_line(STDIN_FILENO, line, interrupted);
  Secret secret(std::move(line));
  if (!good || secret.empty()) {
    return fail(ErrorDomain::input, "no-secret",
                "Standard input holds no password or token in its first line");
  }
  return secret;
}

}  // namespace syncline::cli
