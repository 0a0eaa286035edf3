// Package autherdualpath accepts an application's own sessions and Auther's tokens side by side while its users move,
// and lets one switch move the login. It was generated once; from here on it is yours to read, change and own. README.md
// says how to install, check, take back and remove it. Start reading at decide in decision.go.
package autherdualpath
