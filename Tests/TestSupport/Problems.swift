import Diagnostics
import Files
import Testing

/// Expects `body` to throw a problem with this status and subject, and returns it for further checks.
@discardableResult
package func expectProblem(
  _ status: Diagnostics.ExitStatus, about path: String, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> Problem? {
  let problem = #expect(
    throws: Problem.self, comment, sourceLocation: sourceLocation, performing: body)
  guard let problem else { return nil }
  #expect(problem.status == status, comment, sourceLocation: sourceLocation)
  #expect(problem.subject == path, comment, sourceLocation: sourceLocation)
  return problem
}
