import javassist.CannotCompileException;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.LoaderClassPath;
import javassist.expr.ExprEditor;
import javassist.expr.MethodCall;

/**
 * Has the query port of Pinot's server listen on the loopback interface, for which it has no setting:
 * a copy of the class that opens it, to stand first on the class path. The argument is its folder.
 */
public class Loopback {
  public static void main(String[] folder) throws Exception {
    ClassPool classes = new ClassPool();
    classes.appendClassPath(new LoaderClassPath(Loopback.class.getClassLoader()));
    CtClass server = classes.get("org.apache.pinot.core.transport.QueryServer");
    boolean[] found = {false};
    server.getDeclaredMethod("start").instrument(new ExprEditor() {
      @Override
      public void edit(MethodCall call) throws CannotCompileException {
        if (call.getMethodName().equals("bind") && call.getSignature().startsWith("(I)")) {
          call.replace("$_ = $0.bind(\"127.0.0.1\", $1);");
          found[0] = true;
        }
      }
    });
    if (!found[0]) {
      throw new IllegalStateException("QueryServer.start does not bind a port");
    }
    server.writeFile(folder[0]);
  }
}
